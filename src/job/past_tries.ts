/**
 * Where the earlier tries of a job were, and what is left of them there. Pure.
 *
 * @module
 */

import type { Job } from "./job.ts";
import type { PastTry } from "./options.ts";
import { tryNumber } from "./retry.ts";
import { isWaiting } from "./states.ts";

/** Where a job runs or ran. */
export type Place = Pick<Job, "user" | "host">;

/** The try whose files a further one finds at a place, and leaves there under other names; null if none is. */
export function triedThere({ history }: Pick<Job, "history">, place: Place): number | null {
  return history?.findLast((past) => isThere(past, place) && past.status !== "fail_start")?.try ?? null;
}

/** A try of a job, and the names under which its files may stand: each is what comes after the usual name. */
export interface TriedJob {
  readonly job: Job;
  readonly endings: readonly string[];
}

/** The job as it was in one of its tries; null if it has not had this one, or nothing is known of it any more. */
export function asOfTry(job: Job, number: number): TriedJob | null {
  const hasBegun = job.attempt > 0 && !isWaiting(job.status);
  if (hasBegun && number === tryNumber(job)) return { job, endings: [""] };
  const past = job.history?.find((one) => one.try === number);
  if (past === undefined) return null;
  const later: { readonly status: string }[] = (job.history ?? []).filter((one) =>
    one.try > number && isThere(one, past)
  );
  if (hasBegun && isThere(past, job)) later.push(job);
  const isOver = later.some(({ status }) => status !== "fail_start");
  return { job: asOf(job, past), endings: later.length === 0 ? [""] : isOver ? [`.${number}`] : [`.${number}`, ""] };
}

function asOf(job: Job, { user, host, attempt, started, ended, status, exit_code }: PastTry): Job {
  return {
    ...job,
    user,
    host,
    attempt,
    started,
    ended,
    exit_code,
    status: status as Job["status"],
    boot: null,
    slot: null,
    job_directory: null,
  };
}

function isThere(past: Place, { user, host }: Place): boolean {
  return past.host === host && (past.user ?? "") === (user ?? "");
}
