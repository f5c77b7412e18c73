/**
 * Opens a page in the person's browser.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";

/** The shell ends at once; a browser that ends with its window is not waited for. */
const BEHIND = '"$@" </dev/null >/dev/null 2>&1 &';

/** Opens the page where there is a screen and a program that does it; else nothing happens. Does not wait for it. */
export async function openBrowser(deps: Deps, url: string): Promise<void> {
  const { environment } = deps;
  const isSet = (name: string) => (environment.get(name) ?? "") !== "";
  const hasScreen = isSet("DISPLAY") || isSet("WAYLAND_DISPLAY");
  // Terminals of macOS set this; there is no other sign of a screen there.
  if (!hasScreen && !isSet("TERM_PROGRAM")) return;
  try {
    const child = deps.processes.spawn(["sh", "-c", BEHIND, "sh", hasScreen ? "xdg-open" : "/usr/bin/open", url]);
    await Promise.allSettled([child.stdin.close(), child.stdout.cancel(), child.stderr.cancel(), child.ended]);
  } catch {
    // There is no shell: the address that is printed has to do.
  }
}
