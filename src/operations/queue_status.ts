/**
 * How a queue stands: its run, its jobs by state, what failed last, and when it will be done.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { type Job, placeOf } from "../job/job.ts";
import { endReason, isFailed } from "../job/outcome.ts";
import { isInFlight, isWaiting, JOB_STATES, type JobState } from "../job/states.ts";
import { durationMs } from "../job/where.ts";
import type { JobName } from "../names/grammar.ts";
import { listNames } from "../store/queue_file.ts";
import { type StorePaths, storePaths } from "../store/paths.ts";
import { type Prediction, readPrediction } from "../store/prediction.ts";
import { readHistory } from "../store/run_history.ts";
import { type QueuePause, readPause } from "../store/queue_pause.ts";
import { readJobs } from "../store/read_jobs.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { LastRun } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import { holdOf } from "./job_reason.ts";

/** A job that did not end well. */
export interface Failure {
  readonly job: JobName;
  readonly reason: string;
  readonly machine: string | null;
  readonly ended: string | null;
}

/** How a queue stands. */
export interface QueueStatus {
  readonly queue: string;
  readonly total: number;
  readonly counts: Readonly<Record<JobState, number>>;
  readonly failed: number;
  /** Waiting jobs that something of their own keeps (held, after others, a next try), by what it is. */
  readonly kept: number;
  /** The present run, or the last; null if there was none. */
  readonly run: LastRun | null;
  /** Null if the queue is not paused. */
  readonly pause: QueuePause | null;
  /** Jobs in flight by machine, `user@name`. */
  readonly busy: ReadonlyMap<string, number>;
  /** Ends in the last minute, for each second; null without a run. */
  readonly ratePerS: number | null;
  /** How long the rest takes, ms, between the two; null where nothing is known. */
  readonly leftMs: readonly [least: number, most: number] | null;
  /** What the last plan said; null if there was none. `tookMs`: the run that followed, null before its end. */
  readonly plan: Prediction & { readonly tookMs: number | null } | null;
  /** The last failures, the newest first. */
  readonly failures: readonly Failure[];
}

const FAILURES = 5;
const RATE_MS = 60_000;

/** How a queue stands. @throws {CmsError} `not_found` if there is no such queue. */
export async function queueStatus(deps: Deps, { queue }: { queue: StoreRef }): Promise<QueueStatus> {
  const jobs = await readJobs(deps, queue);
  const paths = storePaths(queue, "queue");
  const run = await readLastRun(deps, paths);
  const nowMs = deps.clock.epochMs();
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  const busy = new Map<string, number>();
  const failures: Job[] = [];
  const durations: number[] = [];
  let [failed, kept, recent] = [0, 0, 0];
  for (const job of jobs.values()) {
    counts[job.status]++;
    if (isInFlight(job.status)) busy.set(placeOf(job) ?? "?", (busy.get(placeOf(job) ?? "?") ?? 0) + 1);
    if (isWaiting(job.status) && holdOf(job, { jobs, nowMs }) !== null) kept++;
    const tookMs = durationMs(job);
    if (tookMs !== null && job.status === "end") durations.push(tookMs);
    if (job.ended !== null && nowMs - Date.parse(job.ended) < RATE_MS) recent++;
    if (!isFailed(job)) continue;
    failed++;
    failures.push(job);
  }
  failures.sort((a, b) => (b.ended ?? "").localeCompare(a.ended ?? ""));
  const open = counts.undefined + counts.ready + counts.run + counts.start - kept;
  return {
    queue: queue.name,
    total: jobs.size,
    counts,
    failed,
    kept,
    run,
    pause: await readPause(deps, paths),
    busy,
    ratePerS: run?.isRunning === true ? recent / (RATE_MS / 1000) : null,
    leftMs: run?.isRunning === true ? timeLeft(durations, open, run.about.slots) : null,
    plan: await planOf(deps, paths),
    failures: failures.slice(0, FAILURES).map((job) => ({
      job: job.name,
      reason: endReason(job),
      machine: placeOf(job),
      ended: job.ended,
    })),
  };
}

/** The last plan, and the first run after it that came to its end. */
export async function planOf(deps: Deps, paths: StorePaths): Promise<QueueStatus["plan"]> {
  const plan = await readPrediction(deps, paths);
  if (plan === null) return null;
  // Runs are noted by whole seconds.
  const fromMs = Math.floor(plan.madeMs / 1000) * 1000;
  const after = (await readHistory(deps, paths)).find(({ began, end }) =>
    Date.parse(began) >= fromMs && end?.outcome === "done"
  );
  return { ...plan, tookMs: after?.end?.tookMs ?? null };
}

/** How the queues of an experiment stand, by name. One that cannot be read is left out. */
export async function allStatuses(deps: Deps, place: Omit<StoreRef, "name">): Promise<QueueStatus[]> {
  const all: QueueStatus[] = [];
  for (const name of await listNames(deps, place.directory, "queue")) {
    const status = await queueStatus(deps, { queue: { ...place, name } }).catch(() => null);
    if (status !== null) all.push(status);
  }
  return all;
}

/**
 * Between which times `open` jobs are done, if they take what others took: by the lower and the upper quartile of
 * these.
 */
export function timeLeft(durations: number[], open: number, slots: number): [number, number] | null {
  if (durations.length === 0 || slots < 1) return null;
  durations.sort((a, b) => a - b);
  const at = (part: number): number => durations[Math.min(durations.length - 1, Math.floor(durations.length * part))]!;
  const rounds = Math.ceil(open / slots);
  return [rounds * at(0.25), rounds * at(0.75)];
}
