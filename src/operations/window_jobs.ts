/**
 * A window of a queue's jobs, as a table on a screen shows them: chosen, searched, sorted, and only as many as fit.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { Job } from "../job/job.ts";
import { isFailed } from "../job/outcome.ts";
import { durationMs } from "../job/where.ts";
import { type JobOrder, jobOrder } from "../job/sort.ts";
import { JOB_STATES, type JobState } from "../job/states.ts";
import { isRead, liveJobs } from "../store/read_jobs.ts";
import { Rests } from "../store/rests.ts";
import { firstJobs } from "../store/large/first_jobs.ts";
import { scanJobs } from "../store/large/scan_jobs.ts";
import type { StoreRef } from "../store/store.ts";
import { reasonsOf } from "./job_reasons.ts";

/** Jobs that are looked at between two rests. */
const AT_ONCE = 1_000;

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
    const few = await firstJobs(deps, queue, offset + limit) ?? await scanJobs(deps, queue, keep, offset + limit);
    const rows = few === null ? null : await rowsOf(deps, queue, few.slice(offset));
    if (rows !== null) return { total: null, counts: null, failed: null, rows };
  }
  const order = sort === undefined ? null : await orderOf(deps, queue, sort);
  const jobs = [...(await liveJobs(deps, queue)).values()];
  const needle = search.toLowerCase();
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  const rests = new Rests(deps.clock);
  const most = offset + limit;
  let [failed, total] = [0, 0];
  let first: Sorted[] = [];
  for (let i = 0; i < jobs.length; i++) {
    const job = jobs[i]!;
    if (i % AT_ONCE === 0) await rests.take();
    if (first.length > 2 * most + AT_ONCE) first = firstOf(first, order, most);
    counts[job.status]++;
    if (isFailed(job)) failed++;
    if (!keep(job) || (needle !== "" && !hasText(job, needle))) continue;
    total++;
    if (order !== null || total <= most) first.push({ job, value: order?.of(job) ?? null });
  }
  const rows = await rowsOf(deps, queue, firstOf(first, order, most).slice(offset).map(({ job }) => job));
  return { total, counts, failed, rows };
}

async function rowsOf(deps: Deps, queue: StoreRef, jobs: readonly Job[]): Promise<JobsWindow["rows"]> {
  const reasons = await reasonsOf(deps, { queue, jobs });
  return jobs.map((job) => ({ job, reason: reasons(job), durationMs: durationMs(job) }));
}

/** A job with what it is sorted by. */
interface Sorted {
  readonly job: Job;
  readonly value: unknown;
}

/** Those that come first, in their order: of many only these are sorted again and again. */
function firstOf(jobs: Sorted[], order: JobOrder | null, most: number): Sorted[] {
  return order === null ? jobs : jobs.sort((x, y) => order.compare(x.value, y.value)).slice(0, most);
}

/** By a field, or by the reason, which is none. */
async function orderOf(deps: Deps, queue: StoreRef, sort: string): Promise<JobOrder> {
  if (sort !== "reason" && sort !== "-reason") return jobOrder(sort);
  const of = await reasonsOf(deps, { queue, jobs: null });
  const sign = sort === "reason" ? 1 : -1;
  return { of, compare: (x, y) => sign * (String(x) < String(y) ? -1 : Number(String(x) > String(y))) };
}

function hasText({ name, command }: Job, needle: string): boolean {
  return name.toLowerCase().includes(needle) || command.toLowerCase().includes(needle);
}
