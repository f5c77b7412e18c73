/**
 * Why each of some jobs is where it is. The rest of the queue is read only if one of them waits for others.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { hasDependencies } from "../job/dependencies.ts";
import type { Job } from "../job/job.ts";
import { isWaiting } from "../job/states.ts";
import { storePaths } from "../store/paths.ts";
import { liveJobs } from "../store/read_jobs.ts";
import { readRunner } from "../store/run_claim.ts";
import type { StoreRef } from "../store/store.ts";
import { holdOf, lackOf, reasonOf } from "./job_reason.ts";

/**
 * The reasons of these jobs, or of any (null), as a function; `""` for a job that waits for nothing but a slot.
 */
export async function reasonsOf(
  deps: Deps,
  { queue, jobs }: { queue: StoreRef; jobs: readonly Job[] | null },
): Promise<(job: Job) => string> {
  const isRun = await readRunner(deps, storePaths(queue, "queue")) !== null;
  const isAlone = jobs !== null && !jobs.some(hasDependencies);
  const all = isAlone ? new Map(jobs.map((job) => [job.name, job])) : await liveJobs(deps, queue);
  const view = { jobs: all, nowMs: deps.clock.epochMs(), isRun, pause: null };
  return (job) => isWaiting(job.status) ? holdOf(job, view) ?? lackOf(job) ?? "" : reasonOf(job, view);
}
