/**
 * Whether a try that did not end well is followed by another, and when. Pure.
 *
 * @module
 */

import { parseDuration } from "../names/units.ts";
import { isoSeconds, type Job } from "./job.ts";
import { endReason } from "./outcome.ts";
import type { JobState } from "./states.ts";
import { HISTORY_LIMIT, type JobOptions, type PastTry } from "./options.ts";

/** Why a try did not end well: a word of `retry_on`. `killed`: a person ended it; that is never tried again. */
export type Cause = "exit" | "crash" | "start" | "time_limit" | "lost" | "killed";

/** How a try ended. */
export interface TryEnd {
  readonly cause: Cause;
  readonly exitCode: number | null;
  /** One line; null where the exit code says all. */
  readonly reason: string | null;
  /** ISO 8601, or null where unknown. */
  readonly started: string | null;
  readonly ended: string | null;
  /** Of one that is lost: boot of its machine. */
  readonly boot?: string | null;
  /** Its start was refused while a lost attempt of the job may still run: where that is asked for, it goes on. */
  readonly isAfterLost?: boolean;
}

const DEFAULT_CAUSES: readonly (string | number)[] = ["exit", "crash", "start"];
const DEFAULT_DELAY_MS = 10_000;
const LONGEST_DELAY_MS = 30 * 60_000;
/** Times are written down in whole seconds, rounded up. */
const ROUNDED_MS = 999;

const STATES: Readonly<Record<Cause, JobState>> = {
  exit: "end",
  crash: "crash",
  start: "fail_start",
  time_limit: "kill",
  lost: "crash",
  killed: "kill",
};

/**
 * The fields of a job that is to be tried again after its attempt ended; null if it is not.
 * @param job As it was when it ran. @param nowMs By the wall clock: the time
 * is written down.
 */
export function nextTry(
  job: Job,
  end: TryEnd,
  nowMs: number,
): Required<Pick<JobOptions, "history" | "not_before" | "reason">> | null {
  const retries = job.retries ?? 0;
  const number = tryNumber(job);
  if (!hasTry(job) || !isRetried(job, end)) return null;
  const status = STATES[end.cause];
  const why = endReason({ status, exit_code: end.exitCode, reason: end.reason });
  const past: PastTry = {
    try: number,
    attempt: job.attempt,
    host: job.host,
    user: job.user,
    started: end.started,
    ended: end.ended,
    status,
    exit_code: end.exitCode,
    reason: why,
    ...(end.cause === "lost" && typeof end.boot === "string" ? { boot: end.boot } : {}),
  };
  const untilMs = nowMs + delayMs(job, number);
  return {
    history: [...job.history ?? [], past].slice(-HISTORY_LIMIT),
    not_before: isoSeconds(untilMs + ROUNDED_MS),
    reason: `retry ${number} of ${retries}`,
  };
}

/**
 * When the next try of a job is due, by a clock that nobody sets. It waits no longer than it would have after its last
 * try, by how much the wall clock may have been set back since.
 * @param wallAheadMs By how much the wall clock is ahead of that of `nowMs`.
 */
export function dueMs(job: Job, nowMs: number, wallAheadMs: number): number {
  const longestMs = delayMs(job, Math.max(1, tryNumber(job) - 1)) + ROUNDED_MS;
  return Math.min(Date.parse(job.not_before!) - wallAheadMs, nowMs + longestMs);
}

/** Number of the try that runs, or runs next: 1 for the first since the job was added or reset. */
export function tryNumber(job: Pick<Job, "history">): number {
  return (job.history?.at(-1)?.try ?? 0) + 1;
}

/** True if a job may be tried again after the try that ran last. */
export function hasTry(job: Pick<Job, "history" | "retries"> | undefined): boolean {
  return job !== undefined && (job.retries ?? 0) >= tryNumber(job);
}

/** Machines, as `user@host`, on which earlier tries of the job failed. */
export function failedMachines(job: Pick<Job, "history">): string[] {
  return (job.history ?? []).flatMap(({ user, host }) => host === null ? [] : [`${user ?? ""}@${host}`]);
}

function isRetried(job: Job, { cause, exitCode, isAfterLost }: TryEnd): boolean {
  if (cause === "killed") return false;
  const causes = job.retry_on ?? DEFAULT_CAUSES;
  if (cause === "start" && isAfterLost === true && causes.includes("lost")) return true;
  return causes.includes(cause) || (cause === "exit" && exitCode !== null && causes.includes(exitCode));
}

/**
 * Doubles with each try, up to half an hour, and differs by up to a quarter, so that jobs that failed together do not
 * start together.
 */
function delayMs(job: Job, number: number): number {
  const firstMs = typeof job.retry_delay === "string" ? parseDuration(job.retry_delay) : DEFAULT_DELAY_MS;
  const ms = Math.min(firstMs * 2 ** Math.min(number - 1, 30), Math.max(LONGEST_DELAY_MS, firstMs));
  let hash = number;
  for (let i = 0; i < job.id.length; i++) hash = (hash * 31 + job.id.charCodeAt(i)) % 1000;
  return Math.round(ms * (0.75 + hash / 2000));
}
