/**
 * Waits for a moment in which nobody else uses the machine's processors.
 *
 * @module
 */

import { cpus } from "node:os";

const WINDOW_MS = 500;

/** Share of the processors' time, from 0 to 1, up to which the machine counts as quiet. */
const QUIET = 0.15;

/**
 * Waits until the machine is quiet, at most so long.
 * @param seconds 0: does not look at all.
 * @returns The share that others last used, from 0 to 1; null if it was not looked at.
 */
export async function waitForQuiet(seconds: number, signal: AbortSignal): Promise<number | null> {
  if (seconds === 0) return null;
  const endMs = performance.now() + seconds * 1000;
  while (true) {
    const before = times();
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const after = times();
    const busy = 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all);
    if (busy <= QUIET || performance.now() >= endMs || signal.aborted) return busy;
  }
}

function times(): { idle: number; all: number } {
  let idle = 0;
  let all = 0;
  for (const { times: one } of cpus()) {
    idle += one.idle;
    all += one.user + one.nice + one.sys + one.irq + one.idle;
  }
  return { idle, all };
}
