/**
 * Why a job is where it is, in one line for people. Pure.
 *
 * @module
 */

import { dependenceOf, hasDependencies } from "../job/dependencies.ts";
import { type Job, placeOf } from "../job/job.ts";
import { endReason, isFailed } from "../job/outcome.ts";
import { isGpuInUse, isLack } from "../job/needs.ts";
import { tryNumber } from "../job/retry.ts";
import { isWaiting } from "../job/states.ts";
import { renderWait } from "../names/units.ts";
import type { Jobs } from "../store/changes.ts";
import type { QueuePause } from "../store/queue_pause.ts";

/** What is known of the queue as a whole. */
export interface QueueView {
  readonly jobs: Jobs;
  /** Epoch ms. */
  readonly nowMs: number;
  /** Whether a run works on the queue. */
  readonly isRun: boolean;
  /** The pause of the queue; null if it is not paused. */
  readonly pause: QueuePause | null;
}

/**
 * What holds a waiting job itself, whatever hosts are free: `held`, `waits for prep2`, `retry 2 of 3 in 40 s`; null if
 * nothing does.
 */
export function holdOf(job: Job, { jobs, nowMs }: Pick<QueueView, "jobs" | "nowMs">): string | null {
  if (!isWaiting(job.status)) return null;
  if (job.hold === true) return "held";
  const dependence = hasDependencies(job) ? dependenceOf(job, jobs) : null;
  if (dependence?.type === "never") return dependence.reason;
  if (dependence?.type === "waits") {
    return `waits for ${dependence.for}${dependence.isMissing ? ", which is not in the queue" : ""}`;
  }
  const inMs = typeof job.not_before === "string" ? Date.parse(job.not_before) - nowMs : 0;
  return inMs > 0 ? `${retryText(job)} in ${renderWait(inMs)}` : null;
}

/** `retry 2 of 3`, by the retries that the job has now: they may have been changed since it waits. */
function retryText(job: Job): string {
  const number = tryNumber(job) - 1;
  return number < 1 ? job.reason ?? "waits" : `retry ${number} of ${Math.max(number, job.retries ?? 0)}`;
}

/**
 * That no host could hold a job, or that others use its GPUs, as the last run said that looked at it: `no host has 4
 * GPUs`; null if neither is.
 */
export function lackOf({ reason }: Job): string | null {
  return isLack(reason ?? "") || isGpuInUse(reason ?? "") ? reason! : null;
}

/** Why jobs wait that nothing of their own holds. */
export function waitReason({ isRun, pause }: Pick<QueueView, "isRun" | "pause">): string {
  if (pause !== null) return pauseText(pause);
  return isRun ? "waits for a free slot" : "no run works on the queue";
}

/** A pause in words: `the queue is paused: new disk`. */
export function pauseText({ reason }: QueuePause): string {
  return `the queue is paused${reason === null ? "" : `: ${reason}`}`;
}

/** Why a job is where it is. */
export function reasonOf(job: Job, view: QueueView): string {
  const where = job.host === null ? "" : ` on ${placeOf(job)}`;
  switch (job.status) {
    case "undefined":
    case "ready":
      return holdOf(job, view) ?? lackOf(job) ?? waitReason(view);
    case "run":
      return `is being started${where}`;
    case "start":
      return `runs${where}${view.isRun ? "" : ", and no run follows it"}`;
    case "end":
    case "kill":
    case "fail_start":
    case "crash":
      return isFailed(job) ? endReason(job) : "ended well";
    default:
      return job.status satisfies never;
  }
}
