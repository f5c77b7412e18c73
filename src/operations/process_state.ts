/**
 * Does a process of this machine live, and is it stopped? And what is said where another process runs a queue.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import type { Runner } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";

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

/** How the process stands that runs the queue; of processes elsewhere nothing can be told. */
export async function runnerState(deps: Deps, { pid, hostname }: Runner): Promise<ProcessState> {
  return pid > 0 && hostname === deps.environment.hostname() ? await processState(deps, pid) : "unknown";
}

/** The error of a command that cannot have the queue as another process runs it. `tried`: such as `run`. */
export async function runsAlready(deps: Deps, tried: string, queue: StoreRef, runner: Runner): Promise<CmsError> {
  const { pid, hostname } = runner;
  const state = await runnerState(deps, runner);
  const hint = state === "stopped" ? `, but is suspended; to let it go on: kill -CONT ${pid}` : "";
  return new CmsError(
    "conflict",
    `Cannot ${tried} queue ${queue.name}: process ${pid} on ${hostname} runs it already${hint}`,
  );
}
