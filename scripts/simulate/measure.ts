/**
 * A run without faults in a simulated world, and what its decisions cost in the real one.
 *
 * @module
 */

import process from "node:process";
import { Core } from "../../src/scheduler/core.ts";
import { measureMakespan } from "../../src/simulation/makespan.ts";
import { turn } from "../../testing/turn.ts";

/** What {@link measureRun} gives beside the makespan: processor time of the scheduler's core and of all, ms. */
export interface Cost {
  readonly coreMs: number;
  readonly steps: number;
  readonly cpuMs: number;
}

/** Plays the run that {@link measureMakespan} takes. */
export async function measureRun(
  options: Parameters<typeof measureMakespan>[0],
): Promise<Awaited<ReturnType<typeof measureMakespan>> & Cost> {
  let [coreMs, steps] = [0, 0];
  const step = Core.prototype.step;
  Core.prototype.step = function (...args) {
    const beginMs = performance.now();
    const effects = step.apply(this, args);
    coreMs += performance.now() - beginMs;
    steps++;
    return effects;
  };
  try {
    const cpu = process.cpuUsage();
    const result = await measureMakespan(options, turn);
    const { user, system } = process.cpuUsage(cpu);
    return { ...result, coreMs, steps, cpuMs: (user + system) / 1000 };
  } finally {
    Core.prototype.step = step;
  }
}
