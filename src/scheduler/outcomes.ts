/**
 * What became of the jobs of a run: the lists and numbers of its result. Pure bookkeeping.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { isTimeLimit } from "../job/outcome.ts";
import type { JobState } from "../job/states.ts";
import type { Jobs } from "../store/changes.ts";
import type { RunResult } from "./report.ts";

/** How an attempt ended. */
export interface Outcome {
  readonly state: "end" | "kill" | "crash" | "fail_start";
  readonly exitCode: number | null;
  /** Why, where it did not end by itself. */
  readonly reason?: string | null;
  readonly machine: string;
  /** False if no process of it ever was: its start failed, or was recalled. */
  readonly began: boolean;
  /** It can never start, as a job that it waits for did not end as it must. */
  readonly isDependent?: boolean;
}

/** True if it did not end well: it failed to start, crashed, was killed, or ended with another code than 0. */
export function isBad(outcome: Outcome): boolean {
  return outcome.state !== "end" || outcome.exitCode !== 0;
}

/** Jobs in the order of their starts, and how each ended. */
export class Outcomes {
  /** In order of starts; null while it runs. */
  readonly #jobs = new Map<JobName, Outcome | null>();
  #done = 0;
  #failed = 0;
  /** Of those that failed, those that never started because of others. */
  #dependents = 0;

  /** A start was decided. */
  begin(job: JobName): void {
    this.retract(job);
    this.#jobs.delete(job);
    this.#jobs.set(job, null);
  }

  /** It was never started after all. */
  forget(job: JobName): void {
    if (this.#jobs.get(job) === null) this.#jobs.delete(job);
  }

  /** The job runs (again, if it had been given up). */
  ran(job: JobName): void {
    if (!this.#jobs.has(job)) this.#jobs.set(job, null);
  }

  ended(job: JobName, outcome: Outcome): void {
    this.retract(job);
    this.#jobs.set(job, outcome);
    this.#done++;
    if (isBad(outcome)) this.#failed++;
    if (outcome.isDependent === true) this.#dependents++;
  }

  /** Takes an outcome back that proved wrong. */
  retract(job: JobName): void {
    const outcome = this.#jobs.get(job);
    if (outcome === undefined || outcome === null) return;
    this.#done--;
    if (isBad(outcome)) this.#failed--;
    if (outcome.isDependent === true) this.#dependents--;
    this.#jobs.set(job, null);
  }

  counts(): { done: number; failed: number; dependents: number } {
    return { done: this.#done, failed: this.#failed, dependents: this.#dependents };
  }

  summary(): Pick<RunResult, "ran" | "completed" | "failed"> {
    const ran: JobName[] = [];
    const completed: JobName[] = [];
    const failed: RunResult["failed"][number][] = [];
    for (const [job, outcome] of this.#jobs) {
      if (outcome?.began !== false) ran.push(job);
      if (outcome === null) continue;
      const { state, exitCode, reason, machine, isDependent } = outcome;
      const why = state === "kill" && isTimeLimit(reason) ? { reason } : {};
      if (state === "end") completed.push(job);
      if (isBad(outcome)) {
        failed.push({ job, state, exitCode, ...why, machine, ...(isDependent === true && { isDependent }) });
      }
    }
    return { ran, completed, failed };
  }
}

/** How many jobs are in each state. */
export function countStates(jobs: Jobs): Partial<Record<JobState, number>> {
  const counts: Partial<Record<JobState, number>> = {};
  for (const { status } of jobs.values()) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
