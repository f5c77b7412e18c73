/**
 * Opens a page in the person's browser.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";

/** The shell ends at once; a browser that ends with its window is not waited for. */
const BEHIND = '"$@" </dev/null >/dev/null 2>&1 &';

/** A shell reads it, as the executable may not read /proc itself. */
const SOCKETS = "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null";
/** State of a socket that listens. */
const LISTENS = "0A";

/** False if no program of this machine listens on the port. True where the system does not say. */
export async function isListening(deps: Deps, port: number): Promise<boolean> {
  let text = "";
  try {
    const child = deps.processes.spawn(["sh", "-c", SOCKETS]);
    [text] = await Promise.all([
      new Response(child.stdout).text(),
      child.stderr.cancel(),
      child.stdin.close().catch(() => {}),
    ]);
  } catch {
    // There is no shell, or no /proc.
  }
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = text.split("\n").map((line) => line.trim().split(/\s+/));
  return text === "" || rows.some(([, local, , state]) => local?.endsWith(`:${hex}`) && state === LISTENS);
}

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
