/**
 * What is played on a simulated Slurm: jobs of different lengths on one entry whose allocations last ten minutes, and
 * what was wrong with it.
 *
 * @module
 */

import { makeHost } from "../cluster/host.ts";
import { attemptId } from "../job/attempt.ts";
import { type Job, makeJob } from "../job/job.ts";
import type { HostId, JobName } from "../names/grammar.ts";
import { entryOf } from "../slurm/entry.ts";
import { randomOf } from "./random.ts";
import { playSlurm, type SlurmPlayed } from "./slurm_run.ts";
import type { Door, SlurmLuck } from "./slurm_site.ts";

/** Sizes and luck of a play. */
export interface SlurmScenario {
  readonly seed: number;
  readonly jobs: number;
  readonly allocations: number;
  /** Slots of each. */
  readonly slots: number;
  /** Mean of what a job takes. */
  readonly meanMs: number;
  readonly luck: SlurmLuck;
  /** Half of the jobs have a time limit. */
  readonly hasLimits?: boolean;
  readonly door?: Door;
}

/** Plays it. */
export function playScenario(scenario: SlurmScenario): SlurmPlayed {
  const { seed, jobs: count, allocations, slots, meanMs, luck, hasLimits = false, door = "right" } = scenario;
  const random = randomOf(seed, "jobs");
  const slurm = { kind: "slurm", time: "10m", allocations, idle: "1m" };
  const entry = entryOf(makeHost("gpu" as HostId, { name: "login", user: "me", max_jobs_allowed: slots, slurm }));
  const durations = new Map<string, number>();
  const jobs = Array.from({ length: count }, (_, i) => {
    const name = `j${i + 1}` as JobName;
    const ms = random.between(0.1, 1.9) * meanMs;
    durations.set(name, ms);
    const limit = hasLimits && i % 2 === 0 ? { time_limit: `${10 * Math.ceil(ms / 10_000)}s` } : {};
    const spec = { command: "true", retries: 100, retry_on: ["lost"], retry_delay: "1s", ...limit } as const;
    return makeJob(name, spec, { id: i.toString(16).padStart(32, "0"), experiment: "experiment" });
  });
  return playSlurm({ seed, entry, jobs, durationOf: ({ name }) => durations.get(name)!, luck, door });
}

/** What was wrong with it, in words. */
export function faultsOf(played: SlurmPlayed): string[] {
  const lost = lostJobs(played.jobs);
  if (!played.isFinished) return [...played.violations, `it hangs: ${lost.length} jobs are left`];
  return [...played.violations, ...lost.slice(0, 3)];
}

/** Jobs that are over and did not end well, or were never run. */
export function lostJobs(jobs: ReadonlyMap<JobName, Job>): string[] {
  return [...jobs.values()].filter(({ status, exit_code }) => status !== "end" || exit_code !== 0)
    .map((job) => `${attemptId(job)} is ${job.status}${job.reason ? ` (${job.reason})` : ""}`);
}
