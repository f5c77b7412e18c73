/**
 * Worlds in which jobs are tried elsewhere when their host is silent: hosts are cut off for longer than the time-out,
 * and come back while jobs still run there.
 *
 * @module
 */

import { randomOf } from "./random.ts";
import type { Fault, Scenario } from "./scenario.ts";
import type { Wishes } from "./wishes.ts";

/** Trouble is long enough for a host to be given up and to come back, while its job runs on. */
const SILENCE_MS = 60_000;

/**
 * Where jobs are tried elsewhere when their host is silent: hosts that are silent for so long, and jobs that still run
 * when they come back. Drawn apart.
 */
export function drawSilence(scenario: Scenario): Scenario {
  const isLost = (wishes?: Wishes): boolean => wishes?.retry_on?.includes("lost") === true;
  if (scenario.scheduler === "fifo" || !scenario.jobs.some(({ wishes }) => isLost(wishes))) return scenario;
  const random = randomOf(scenario.seed, "silence");
  const troubleMs = Math.max(scenario.troubleMs, SILENCE_MS);
  const cuts = Array.from({ length: 2 + random.below(3) }, (): Fault => ({
    atMs: random.between(0, SILENCE_MS / 2),
    kind: "cut_beyond",
    dice: [random.next(), random.next()],
  }));
  let long = 6;
  const jobs = scenario.jobs.map((job) => {
    if (!isLost(job.wishes) || long-- <= 0) return job;
    const command = job.command.replace(/^work \d+/, `work ${random.between(30_000, 90_000).toFixed(0)}`);
    // Some have tries, and not this one.
    return random.chance(0.3)
      ? { ...job, command, wishes: { ...job.wishes, retry_on: ["crash"] } }
      : { ...job, command };
  });
  const faults = [...scenario.faults, ...cuts].sort((a, b) => a.atMs - b.atMs);
  return { ...scenario, jobs, faults, troubleMs, timeoutMs: 10_000 };
}
