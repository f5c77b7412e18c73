/**
 * What the jobs of a queue come to: from what was written down with its file where that says enough, else from all
 * jobs.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { glanceSum, type Sum } from "../store/large/glance.ts";
import { type Failure, type Summary, summaryOf } from "../store/large/summary.ts";
import { readJobs } from "../store/read_jobs.ts";
import type { StoreRef } from "../store/store.ts";
import { holdOf, type QueueView, reasonOf, waitReason } from "./job_reason.ts";

/** Failures that are shown. */
const FAILURES = 5;
/** Ends of the last minute make the rate. */
const RATE_S = 60;

/** What the jobs come to. */
export interface QueueSum {
  readonly summary: Summary;
  readonly inFlight: readonly Job[];
  /** Waiting jobs that something of their own keeps (held, after others, a next try). */
  readonly kept: number;
  /** The last failures, the newest first. */
  readonly failures: readonly Failure[];
  /** Why jobs wait, with how many have each reason. */
  reasons(view: Omit<QueueView, "jobs">): Map<string, number>;
}

/** Sums up. @throws {CmsError} `not_found` if there is no such queue. */
export async function queueSum(deps: Deps, queue: StoreRef): Promise<QueueSum> {
  const nowMs = deps.clock.epochMs();
  const since = Math.floor(nowMs / 1000) - RATE_S;
  const quick = await glanceSum(deps, queue);
  return (quick === null ? null : fromSummary(quick, nowMs, since)) ??
    fromJobs(await readJobs(deps, queue), nowMs, since);
}

/** null where the summary does not say all. */
function fromSummary(
  { summary, inFlight, dependent, parents: jobs }: Sum,
  nowMs: number,
  since: number,
): QueueSum | null {
  const { timed, lacks } = summary;
  const failures = summary.newest(FAILURES);
  // What waits for others is known only with these, and a clock that was set back asks for ends that were not counted.
  if (dependent === null || timed === null || lacks === null || summary.ends === null) return null;
  if (failures === null || summary.since > since) return null;
  const special = [...timed.values(), ...dependent];
  const kept = summary.held + special.filter((job) => holdOf(job, { jobs, nowMs }) !== null).length;
  const reasons: QueueSum["reasons"] = (view) => {
    const counts = new Map(lacks);
    count(counts, "held", summary.held);
    count(counts, waitReason(view), summary.free);
    for (const job of special) count(counts, reasonOf(job, { ...view, jobs }), 1);
    return counts;
  };
  return { summary, inFlight, kept, failures, reasons };
}

function fromJobs(jobs: ReadonlyMap<Job["name"], Job>, nowMs: number, since: number): QueueSum {
  const summary = summaryOf(jobs.values(), since);
  const waiting = [...jobs.values()].filter(({ status }) => isWaiting(status));
  return {
    summary,
    inFlight: [...jobs.values()].filter(({ status }) => isInFlight(status)),
    kept: waiting.filter((job) => holdOf(job, { jobs, nowMs }) !== null).length,
    failures: summary.newest(FAILURES) ?? [],
    reasons: (view) => {
      const counts = new Map<string, number>();
      for (const job of waiting) count(counts, reasonOf(job, { ...view, jobs }), 1);
      return counts;
    },
  };
}

function count(counts: Map<string, number>, reason: string, by: number): void {
  if (by > 0) counts.set(reason, (counts.get(reason) ?? 0) + by);
}
