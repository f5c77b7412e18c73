/**
 * How a queue stands: its run, its jobs by state, what failed last, and when it will be done.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { type Job, placeOf } from "../job/job.ts";
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
import { type HistoryRow, queueHistory } from "./queue_history.ts";
import { queueSum } from "./queue_sum.ts";
import { elapsed, timeLeft } from "./time_left.ts";
import { usedSlots } from "./used_slots.ts";

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
  /** The run that was last, while none goes on; null if there was none. */
  readonly lastRun: HistoryRow | null;
  /** The machines of the present run, and of jobs in flight. */
  readonly hosts: readonly MachineSlots[];
  /** Ends in the last minute, for each second; null without a run. */
  readonly ratePerS: number | null;
  /** How long the rest takes, ms, between the two; null where nothing is known. */
  readonly leftMs: readonly [least: number, most: number] | null;
  /** What the last plan said; null if there was none. `tookMs`: the run that followed, null before its end. */
  readonly plan: Prediction & { readonly tookMs: number | null } | null;
  /** The last failures, the newest first. */
  readonly failures: readonly Failure[];
}

/** A machine and its slots. */
export interface MachineSlots {
  /** `user@name`. */
  readonly machine: string;
  /** Whether it answers the run; null where no run uses it. */
  readonly link: "up" | "down" | null;
  /** Jobs that the run may start there at once; null where that is not said. */
  readonly slots: number | null;
  /** Slots that jobs in flight have. */
  readonly used: number;
}

const RATE_MS = 60_000;

/** How a queue stands. @throws {CmsError} `not_found` if there is no such queue. */
export async function queueStatus(deps: Deps, { queue }: { queue: StoreRef }): Promise<QueueStatus> {
  const paths = storePaths(queue, "queue");
  const { summary, inFlight, kept, failures } = await queueSum(deps, queue);
  const run = await readLastRun(deps, paths);
  const { counts, failed, total } = summary;
  const nowMs = deps.clock.epochMs();
  const open = counts.undefined + counts.ready + counts.run + counts.start - kept;
  const pause = await readPause(deps, paths);
  return {
    queue: queue.name,
    total,
    counts,
    failed,
    kept,
    run,
    pause,
    lastRun: await lastRunOf(deps, queue, run),
    hosts: machineSlots(run, inFlight),
    ratePerS: run?.isRunning === true ? recentEnds(summary, nowMs) / (RATE_MS / 1000) : null,
    leftMs: run?.isRunning === true && pause === null
      ? timeLeft(summary.durations, { open, slots: run.about.slots, running: elapsed(inFlight, nowMs) })
      : null,
    plan: await planOf(deps, paths),
    failures,
  };
}

/** The run that was last; null while one goes on. */
export async function lastRunOf(deps: Deps, queue: StoreRef, run: LastRun | null): Promise<HistoryRow | null> {
  return run?.isRunning === true ? null : (await queueHistory(deps, { queue, limit: 1 }))[0] ?? null;
}

/** The machines of a run, and of jobs in flight, with their slots. */
export function machineSlots(run: LastRun | null, inFlight: Iterable<Job>): MachineSlots[] {
  const about = run?.isRunning === true ? run.about : null;
  const { machines = {}, capacities = {} } = about ?? {};
  const jobs = Map.groupBy(inFlight, (job) => placeOf(job) ?? "?");
  const all = new Set([...Object.keys(capacities), ...Object.keys(machines), ...jobs.keys()]);
  return [...all].map((machine) => ({
    machine,
    link: machines[machine] ?? null,
    slots: capacities[machine] ?? null,
    used: usedSlots(jobs.get(machine) ?? [], capacities[machine] ?? null),
  }));
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
