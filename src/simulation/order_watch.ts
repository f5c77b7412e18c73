/**
 * Watches the order of starts: by priority, then as in the file; nothing that is held, that waits for its next try, or
 * that comes after what is not over; and no more tries than a job has. It works that out by itself from the jobs.
 *
 * @module
 */

import type { Job } from "../job/job.ts";
import type { JobName } from "../names/grammar.ts";
import type { Jobs } from "../store/changes.ts";

/** A decision may come so long after it was due. */
export const LATE_MS = 500;

/** How a job stands to what it comes after. */
export type Standing = "free" | "waits" | "missing" | "never";

/** How a job stands to what it comes after, by the states of those jobs alone. */
export function standingOf(job: Job, jobs: Jobs): Standing {
  let standing: Standing = "free";
  for (const [field, mustFail] of [["after", false], ["after_any", null], ["after_notok", true]] as const) {
    for (const name of job[field] ?? []) {
      const other = jobs.get(name as JobName);
      const isOver = other !== undefined && /^(end|kill|crash|fail_start)$/.test(other.status);
      if (!isOver) standing = other === undefined ? "missing" : standing === "free" ? "waits" : standing;
      else if (mustFail !== null && mustFail === (other.status === "end" && other.exit_code === 0)) return "never";
    }
  }
  return standing;
}

/** True if the job may wait when all is over: what it comes after is not in the queue, or waits so, or is away. */
export function mayWaitAtEnd(job: Job, jobs: Jobs): boolean {
  // People change how many slots there are.
  if ((job.slots ?? 1) > 1) return true;
  const standing = standingOf(job, jobs);
  if (standing !== "waits") return standing === "missing";
  return [...job.after ?? [], ...job.after_any ?? [], ...job.after_notok ?? []].some((name) => {
    const other = jobs.get(name as JobName);
    if (other === undefined || /^(run|start)$/.test(other.status)) return true;
    return /^(ready|undefined)$/.test(other.status) && mayWaitAtEnd(other, jobs);
  });
}

/**
 * What is wrong with the start of a job at this time; null if nothing is.
 * @param aheadMs By how much the wall clock is, or was, ahead: times are written down by it.
 */
export function whyTooEarly(job: Job, jobs: Jobs, nowMs: number, aheadMs: number): string | null {
  if (job.hold === true) return "it is held";
  const dueMs = typeof job.not_before === "string" ? Date.parse(job.not_before) - aheadMs : 0;
  if (dueMs > nowMs + 1) return "its next try is later";
  const standing = standingOf(job, jobs);
  return standing === "free" ? null : `what it comes after is not as it must be (${standing})`;
}

/** The jobs that come before one: higher priority, or the same and earlier in the file. */
export function* before(own: Job, jobs: Jobs): Iterable<Job> {
  const priority = own.priority ?? 0;
  let isAbove = true;
  for (const job of jobs.values()) {
    if (job.name === own.name) isAbove = false;
    else if ((job.priority ?? 0) > priority || (isAbove && (job.priority ?? 0) === priority)) yield job;
  }
}

/** True if nothing has kept the job from its start for a while. */
export function isDue(job: Job, jobs: Jobs, nowMs: number, aheadMs: number): boolean {
  return whyTooEarly(job, jobs, nowMs - LATE_MS, aheadMs) === null;
}

/** What is wrong with another try of a job. `isAlive`: its last attempt runs. */
export function whyNoTry(job: Job, isAlive: boolean): string | null {
  const isAsked = !isAlive || job.retry_on?.includes("lost") === true;
  return isAsked ? null : `job ${job.name} gets another try while its last one runs`;
}

/** Counts tries. */
export class TryWatch {
  readonly #tries = new Map<string, number>();

  /** A person wants the job run again: all tries are there anew. */
  reset(id: string): void {
    this.#tries.delete(id);
  }

  /** The run lets a job that is over wait for another try. @returns What is wrong with that. */
  again(job: Job): string | null {
    const tries = (this.#tries.get(job.id) ?? 0) + 1;
    this.#tries.set(job.id, tries);
    return tries > (job.retries ?? 0)
      ? `job ${job.name} gets try ${tries + 1}, and has ${job.retries ?? 0} retries`
      : null;
  }
}
