/**
 * Does a process of this machine live, and is it stopped?
 *
 * @module
 */

import type { Deps } from "../deps.ts";

// A shell reads it, as the executable may not read /proc itself. A program's name may hold `)` and line breaks.
const LOOK =
  '[ -r /proc/self/stat ] || exit 0; printf "+"; while read -r l; do printf "%s " "$l"; done <"/proc/$1/stat"';

/** `unknown` where there is no /proc. */
export type ProcessState = "gone" | "stopped" | "alive" | "unknown";

/** How a process stands. */
export async function processState(deps: Deps, pid: number): Promise<ProcessState> {
  let text: string;
  try {
    const child = deps.processes.spawn(["sh", "-c", LOOK, "sh", String(pid)]);
    const [stdout] = await Promise.all([
      new Response(child.stdout).text(),
      child.stderr.cancel(),
      child.stdin.close().catch(() => {}),
    ]);
    await child.ended;
    text = stdout;
  } catch {
    return "unknown";
  }
  if (text === "") return "unknown";
  const state = text.slice(text.lastIndexOf(")") + 1).trim()[0];
  if (text === "+" || state === "Z" || state === "X") return "gone";
  return state === "T" || state === "t" ? "stopped" : "alive";
}
