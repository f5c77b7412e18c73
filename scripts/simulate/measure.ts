/**
 * A run without faults in a simulated world, and what its decisions cost in the real one.
 *
 * @module
 */

import process from "node:process";
import { Core } from "../../src/scheduler/core.ts";
import { measureMakespan } from "../../src/simulation/makespan.ts";
import { turn } from "../../testing/turn.ts";

/**
 * What {@link measureRun} gives beside the makespan: processor time of the scheduler's core and of all, ms. What others
 * had of the processor during a step is taken off by their share of the whole.
 */
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
  // When the next step is due is asked before each wait: it is a part of each decision.
  const wake = Object.getOwnPropertyDescriptor(Core.prototype, "wakeAtMs")!;
  Object.defineProperty(Core.prototype, "wakeAtMs", {
    configurable: true,
    get(this: Core) {
      const beginMs = performance.now();
      const atMs = wake.get!.call(this);
      coreMs += performance.now() - beginMs;
      return atMs;
    },
  });
  try {
    const cpu = process.cpuUsage();
    const beginMs = performance.now();
    const result = await measureMakespan(options, turn);
    const { user, system } = process.cpuUsage(cpu);
    const cpuMs = (user + system) / 1000;
    return { ...result, coreMs: coreMs * Math.min(1, cpuMs / (performance.now() - beginMs)), steps, cpuMs };
  } finally {
    Core.prototype.step = step;
    Object.defineProperty(Core.prototype, "wakeAtMs", wake);
  }
}

if (import.meta.main) {
  const options = JSON.parse(Deno.args[0] ?? "{}") as Parameters<typeof measureRun>[0];
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(await measureRun(options))));
}
