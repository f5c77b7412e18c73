/**
 * Everything of one job: its record, why it is where it is, its tries, and the jobs that it waits for or that wait for
 * it.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { dependenciesOf, hasDependencies } from "../job/dependencies.ts";
import type { Job } from "../job/job.ts";
import type { PastTry } from "../job/options.ts";
import { tryNumber } from "../job/retry.ts";
import type { JobState } from "../job/states.ts";
import { durationMs } from "../job/where.ts";
import type { JobName } from "../names/grammar.ts";
import { storePaths } from "../store/paths.ts";
import { readPause } from "../store/queue_pause.ts";
import { readRunner } from "../store/run_claim.ts";
import type { StoreRef } from "../store/store.ts";
import { reasonOf } from "./job_reason.ts";
import { jobsAround, requireJob } from "./list_jobs.ts";

/** Another job, and where it is; null if it is not in the queue. */
export interface Neighbour {
  readonly name: JobName;
  readonly status: JobState | null;
}

/** What is shown of a job. */
export interface JobStory {
  readonly job: Job;
  readonly reason: string;
  /** How long the last attempt took, ms; null while that is not known. */
  readonly durationMs: number | null;
  readonly try: number;
  /** Tries that it may have in all. */
  readonly tries: number;
  readonly earlier: readonly PastTry[];
  readonly waitsFor: readonly Neighbour[];
  readonly neededBy: readonly Neighbour[];
}

/** Tells of a job. @throws {CmsError} `not_found` if there is no such queue or job. */
export async function showJob(deps: Deps, request: { queue: StoreRef; job: string }): Promise<JobStory> {
  const { queue } = request;
  const jobs = await jobsAround(deps, queue, request.job, { neededBy: true });
  const job = requireJob(jobs, request.job, queue);
  const paths = storePaths(queue, "queue");
  const isRun = await readRunner(deps, paths) !== null;
  const pause = await readPause(deps, paths);
  const neighbour = (name: JobName): Neighbour => ({ name, status: jobs.get(name)?.status ?? null });
  const neededBy: Neighbour[] = [];
  for (const other of jobs.values()) {
    if (hasDependencies(other) && dependenciesOf(other).includes(job.name)) neededBy.push(neighbour(other.name));
  }
  return {
    job,
    reason: reasonOf(job, { jobs, nowMs: deps.clock.epochMs(), isRun, pause }),
    durationMs: durationMs(job),
    try: tryNumber(job),
    tries: Math.max((job.retries ?? 0) + 1, tryNumber(job)),
    earlier: job.history ?? [],
    waitsFor: dependenciesOf(job).map(neighbour),
    neededBy,
  };
}
