/**
 * An attempt is one start of one job. Its id is `JOBID.N`: the job's id and the number of the attempt.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";

/** The id of an attempt, `JOBID.N`. */
export type AttemptId = string;

/** An attempt as a request or an event names it. */
export interface AttemptRef {
  readonly job: JobName;
  readonly attempt: AttemptId;
}

/** The id of a job's last attempt. */
export function attemptId(job: { readonly id: string; readonly attempt: number }): AttemptId {
  return `${job.id}.${job.attempt}`;
}

/** A job's last attempt. */
export function attemptOf(job: { readonly name: JobName; readonly id: string; readonly attempt: number }): AttemptRef {
  return { job: job.name, attempt: attemptId(job) };
}

/** The id of the job whose attempt it is. */
export function jobIdOf(attempt: string): string {
  return attempt.slice(0, attempt.lastIndexOf("."));
}

/** The number of an attempt. */
export function attemptNumber(attempt: string): number {
  return Number(attempt.slice(attempt.lastIndexOf(".") + 1));
}

/** True if it is an attempt of the job of this id. */
export function isAttemptOf(attempt: string, jobId: string): boolean {
  return jobIdOf(attempt) === jobId;
}

/** True if the first is the second or an earlier attempt of the same job. */
export function isOrBefore(one: string, attempt: string): boolean {
  return isAttemptOf(one, jobIdOf(attempt)) && attemptNumber(one) <= attemptNumber(attempt);
}
