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
import { isRead, readJobs } from "../store/read_jobs.ts";
import { scanJobs } from "../store/large/scan_jobs.ts";
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
  /** Of a large queue that is not in memory yet, only the rows are wanted: they can be found without the others. */
  readonly isSoon?: boolean | undefined;
}

/** Some rows, and what there is in all. */
export interface JobsWindow {
  /** Jobs that are chosen; with the next two, null where it would take long to know. */
  readonly total: number | null;
  /** Of all jobs of the queue. */
  readonly counts: Readonly<Record<JobState, number>> | null;
  readonly failed: number | null;
  readonly rows: readonly { readonly job: Job; readonly reason: string; readonly durationMs: number | null }[];
}

/**
 * The rows of a window.
 * @throws {CmsError} `not_found` if there is no such queue, `invalid` if `sort` is no field.
 */
export async function windowJobs(deps: Deps, request: WindowRequest): Promise<JobsWindow> {
  const { queue, keep = () => true, search = "", sort, offset, limit } = request;
  const isPlain = request.keep === undefined && search === "" && sort === undefined;
  if (request.isSoon === true && isPlain && !isRead(deps, queue)) {
    const few = await scanJobs(deps, queue, keep, offset + limit);
    const rows = few === null ? null : await rowsOf(deps, queue, few.slice(offset));
    if (rows !== null) return { total: null, counts: null, failed: null, rows };
  }
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
  const sorted = await inOrder(deps, queue, chosen, sort);
  const rows = await rowsOf(deps, queue, sorted.slice(offset, offset + limit));
  return { total: chosen.length, counts, failed, rows };
}

async function rowsOf(deps: Deps, queue: StoreRef, jobs: readonly Job[]): Promise<JobsWindow["rows"]> {
  const reasons = await reasonsOf(deps, { queue, jobs });
  return jobs.map((job) => ({ job, reason: reasons(job), durationMs: durationMs(job) }));
}

/** By a field, or by the reason, which is none. */
async function inOrder(
  deps: Deps,
  queue: StoreRef,
  jobs: readonly Job[],
  sort: string | undefined,
): Promise<readonly Job[]> {
  if (sort === undefined) return jobs;
  if (sort !== "reason" && sort !== "-reason") return sortJobs(jobs, sort);
  const reasons = await reasonsOf(deps, { queue, jobs });
  const keyed = jobs.map((job) => ({ job, reason: reasons(job) }));
  const sign = sort === "reason" ? 1 : -1;
  keyed.sort((a, b) => sign * (a.reason < b.reason ? -1 : Number(a.reason > b.reason)));
  return keyed.map(({ job }) => job);
}

function hasText({ name, command }: Job, needle: string): boolean {
  return name.toLowerCase().includes(needle) || command.toLowerCase().includes(needle);
}
