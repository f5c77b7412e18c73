/**
 * How a queue stands: its run, its jobs by state, what failed last, and when it will be done.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { placeOf } from "../job/job.ts";
import type { JobState } from "../job/states.ts";
import type { Failure, Summary } from "../store/large/summary.ts";
import { listNames } from "../store/queue_file.ts";
import { type StorePaths, storePaths } from "../store/paths.ts";
import { type Prediction, readPrediction } from "../store/prediction.ts";
import { readHistory } from "../store/run_history.ts";
import { type QueuePause, readPause } from "../store/queue_pause.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { LastRun } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import { queueSum } from "./queue_sum.ts";
import { timeLeft } from "./time_left.ts";

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

const RATE_MS = 60_000;

/** How a queue stands. @throws {CmsError} `not_found` if there is no such queue. */
export async function queueStatus(deps: Deps, { queue }: { queue: StoreRef }): Promise<QueueStatus> {
  const paths = storePaths(queue, "queue");
  const { summary, inFlight, kept, failures } = await queueSum(deps, queue);
  const run = await readLastRun(deps, paths);
  const { counts, failed, total } = summary;
  const busy = new Map<string, number>();
  for (const job of inFlight) busy.set(placeOf(job) ?? "?", (busy.get(placeOf(job) ?? "?") ?? 0) + 1);
  const open = counts.undefined + counts.ready + counts.run + counts.start - kept;
  return {
    queue: queue.name,
    total,
    counts,
    failed,
    kept,
    run,
    pause: await readPause(deps, paths),
    busy,
    ratePerS: run?.isRunning === true ? recentEnds(summary, deps.clock.epochMs()) / (RATE_MS / 1000) : null,
    leftMs: run?.isRunning === true ? timeLeft(summary.durations, open, run.about.slots) : null,
    plan: await planOf(deps, paths),
    failures,
  };
}

/** How many ended in the last minute. */
function recentEnds({ ends }: Summary, nowMs: number): number {
  let count = 0;
  for (const [second, n] of ends ?? []) if (nowMs - second * 1000 < RATE_MS) count += n;
  return count;
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
