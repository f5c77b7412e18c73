/**
 * A window of a queue's jobs, as a table on a screen shows them: chosen, searched, sorted, and only as many as fit.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { Job } from "../job/job.ts";
import { isFailed } from "../job/outcome.ts";
import { durationMs } from "../job/where.ts";
import { sortJobs } from "../job/sort.ts";
import { JOB_STATES, type JobState } from "../job/states.ts";
import { readJobs } from "../store/read_jobs.ts";
import type { StoreRef } from "../store/store.ts";
import { reasonsOf } from "./job_reasons.ts";

/** What {@link windowJobs} takes. */
export interface WindowRequest {
  readonly queue: StoreRef;
  readonly keep?: ((job: Job) => boolean) | undefined;
  /** Part of the name or the command, in any case. */
  readonly search?: string | undefined;
  /** A field, descending with `-` before it; file order if it is not given. */
  readonly sort?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** Some rows, and what there is in all. */
export interface JobsWindow {
  /** Jobs that are chosen. */
  readonly total: number;
  /** Of all jobs of the queue. */
  readonly counts: Readonly<Record<JobState, number>>;
  readonly failed: number;
  readonly rows: readonly { readonly job: Job; readonly reason: string; readonly durationMs: number | null }[];
}

/**
 * The rows of a window.
 * @throws {CmsError} `not_found` if there is no such queue, `invalid` if `sort` is no field.
 */
export async function windowJobs(deps: Deps, request: WindowRequest): Promise<JobsWindow> {
  const { queue, keep = () => true, search = "", sort, offset, limit } = request;
  const jobs = await readJobs(deps, queue);
  const needle = search.toLowerCase();
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  let failed = 0;
  const chosen: Job[] = [];
  for (const job of jobs.values()) {
    counts[job.status]++;
    if (isFailed(job)) failed++;
    if (keep(job) && (needle === "" || hasText(job, needle))) chosen.push(job);
  }
  const sorted = sort === undefined ? chosen : sortJobs(chosen, sort);
  const shown = sorted.slice(offset, offset + limit);
  const reasons = await reasonsOf(deps, { queue, jobs: shown });
  const rows = shown.map((job) => ({ job, reason: reasons(job), durationMs: durationMs(job) }));
  return { total: chosen.length, counts, failed, rows };
}

function hasText({ name, command }: Job, needle: string): boolean {
  return name.toLowerCase().includes(needle) || command.toLowerCase().includes(needle);
}
