/**
 * The jobs of a queue.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { NotFoundError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import type { JobState } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import type { Jobs } from "../store/changes.ts";
import { readJobs } from "../store/read_jobs.ts";
import { scanJobs } from "../store/scan_jobs.ts";
import type { StoreRef } from "../store/store.ts";
import { type Page, pageOf } from "./page.ts";

/** What {@link listJobs} takes: all jobs, or those in one state; at most the first `limit`. */
export interface ListJobsRequest {
  readonly queue: StoreRef;
  readonly status?: JobState | undefined;
  readonly limit?: number | undefined;
}

/**
 * The jobs in file order.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export async function listJobs(deps: Deps, request: ListJobsRequest): Promise<Job[]> {
  const { queue, status, limit } = request;
  if (status === undefined && limit === undefined) return [...(await readJobs(deps, queue)).values()];
  const found = await scanJobs(deps, queue, (job) => status === undefined || job.status === status, limit ?? Infinity);
  return found ?? (await pageJobs(deps, request)).records;
}

/**
 * One page of the jobs, in file order.
 * @throws {CmsError} `not_found` if there is no such queue, `invalid` if the cursor is none.
 */
export async function pageJobs(
  deps: Deps,
  request: ListJobsRequest & { readonly cursor?: string | undefined },
): Promise<Page<Job>> {
  const { queue, status, limit, cursor } = request;
  const keep = status === undefined ? undefined : (job: Job) => job.status === status;
  return pageOf<Job>(await readJobs(deps, queue), { limit, cursor, keep });
}

/**
 * All jobs by name, in file order: the same map as long as nothing has changed, so that what was made of it can be kept with it.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export function allJobs(deps: Deps, request: { queue: StoreRef }): Promise<Jobs> {
  return readJobs(deps, request.queue);
}

/** One job of a queue. @throws {NotFoundError} If there is no such queue, or no such job. */
export async function getJob(deps: Deps, request: { queue: StoreRef; job: string }): Promise<Job> {
  return requireJob(await readJobs(deps, request.queue), request.job, request.queue);
}

/** The job of this name. @throws {NotFoundError} If there is none. */
export function requireJob(jobs: Jobs, name: string, queue: StoreRef): Job {
  const job = jobs.get(name as JobName);
  if (job === undefined) {
    throw new NotFoundError("job", name, `Job ${JSON.stringify(name)} does not exist in queue ${queue.name}`);
  }
  return job;
}
