/**
 * The jobs of a queue.
 *
 * @module
 */

import { noSuchJob } from "./sentences.ts";
import type { Deps } from "../deps.ts";
import { NotFoundError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { isInFlight } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import type { Jobs } from "../store/changes.ts";
import { storePaths } from "../store/paths.ts";
import { isRead, liveJobs, readJobs } from "../store/read_jobs.ts";
import { readRunner } from "../store/run_claim.ts";
import { glanceJob } from "../store/large/glance.ts";
import { scanJobs } from "../store/large/scan_jobs.ts";
import type { StoreRef } from "../store/store.ts";
import { type Page, pageOf } from "./page.ts";

/** What {@link listJobs} takes: all jobs, or those that `keep` takes; at most the first `limit`. */
export interface ListJobsRequest {
  readonly queue: StoreRef;
  readonly keep?: ((job: Job) => boolean) | undefined;
  readonly limit?: number | undefined;
}

/**
 * The jobs in file order.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export async function listJobs(deps: Deps, request: ListJobsRequest): Promise<Job[]> {
  const { queue, limit, keep } = request;
  if (keep === undefined && limit === undefined) return [...(await liveJobs(deps, queue)).values()];
  const found = await scanJobs(deps, queue, keep ?? (() => true), limit ?? Infinity);
  return found ?? (await pageJobs(deps, request)).records;
}

/**
 * The jobs in file order, and how many of them are in flight though no run follows them: their states are as old as the
 * last run.
 * @throws {CmsError} As {@link listJobs}.
 */
export async function listJobsFollowed(
  deps: Deps,
  request: ListJobsRequest,
): Promise<{ jobs: Job[]; unfollowed: number }> {
  const inFlight = (jobs: readonly Job[]): number => jobs.filter(({ status }) => isInFlight(status)).length;
  const jobs = await listJobs(deps, request);
  if (inFlight(jobs) === 0 || await readRunner(deps, storePaths(request.queue, "queue")) !== null) {
    return { jobs, unfollowed: 0 };
  }
  // The run may have ended since they were read, and its jobs with it.
  const again = await listJobs(deps, request);
  return { jobs: again, unfollowed: inFlight(again) };
}

/**
 * One page of the jobs, in file order.
 * @throws {CmsError} `not_found` if there is no such queue, `invalid` if the cursor is none.
 */
export async function pageJobs(
  deps: Deps,
  request: ListJobsRequest & { readonly cursor?: string | undefined },
): Promise<Page<Job>> {
  const { queue, ...page } = request;
  return pageOf<Job>(await liveJobs(deps, queue), page);
}

/**
 * All jobs by name, in file order: the same map as long as nothing has changed, so that what was made of it can be kept
 * with it.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export function allJobs(deps: Deps, request: { queue: StoreRef }): Promise<Jobs> {
  return readJobs(deps, request.queue);
}

/** One job of a queue. @throws {NotFoundError} If there is no such queue, or no such job. */
export async function getJob(deps: Deps, request: { queue: StoreRef; job: string }): Promise<Job> {
  return requireJob(await liveJobs(deps, request.queue), request.job, request.queue);
}

/**
 * A job, those that it waits for, those in flight, with `neededBy` also those that wait for it, and perhaps others, in
 * file order.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export async function jobsAround(
  deps: Deps,
  queue: StoreRef,
  name: string,
  options: { neededBy: boolean },
): Promise<Jobs> {
  if (isRead(deps, queue)) return await liveJobs(deps, queue);
  return await glanceJob(deps, queue, name as JobName, options) ?? await readJobs(deps, queue);
}

/** The job of this name. @throws {NotFoundError} If there is none. */
export function requireJob(jobs: Jobs, name: string, queue: StoreRef): Job {
  const job = jobs.get(name as JobName);
  if (job === undefined) {
    throw new NotFoundError("job", name, noSuchJob(queue, JSON.stringify(name)));
  }
  return job;
}
