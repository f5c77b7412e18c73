/**
 * The jobs of a queue.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { Job } from "../job/job.ts";
import type { JobState } from "../job/states.ts";
import { openQueue } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";

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
  const store = await openQueue(deps, request.queue);
  try {
    const limit = request.limit ?? Infinity;
    const jobs: Job[] = [];
    for (const job of store.jobs.values()) {
      if (jobs.length >= limit) break;
      if (request.status === undefined || job.status === request.status) jobs.push(job);
    }
    return jobs;
  } finally {
    store.close();
  }
}
