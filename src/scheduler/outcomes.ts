/**
 * What became of the jobs of a run: the lists and numbers of its result. Pure bookkeeping.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { RunResult } from "./report.ts";

/** How an attempt ended. */
export interface Outcome {
  readonly state: "end" | "kill" | "crash" | "fail_start";
  readonly exitCode: number | null;
  readonly machine: string;
}

/** True if somebody should look at it: a failed start, a crash, an end with a code other than 0. A kill was asked for. */
export function isBad(outcome: Outcome): boolean {
  if (outcome.state === "crash" || outcome.state === "fail_start") return true;
  return outcome.state === "end" && outcome.exitCode !== 0;
}

/** Jobs in the order of their starts, and how each ended. */
export class Outcomes {
  readonly #killCompletes: boolean;
  /** In order of starts; null while it runs. */
  readonly #jobs = new Map<JobName, Outcome | null>();
  #done = 0;
  #failed = 0;

  constructor(killCompletes: boolean) {
    this.#killCompletes = killCompletes;
  }

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
  }

  /** Takes an outcome back that proved wrong. */
  retract(job: JobName): void {
    const outcome = this.#jobs.get(job);
    if (outcome === undefined || outcome === null) return;
    this.#done--;
    if (isBad(outcome)) this.#failed--;
    this.#jobs.set(job, null);
  }

  counts(): { done: number; failed: number } {
    return { done: this.#done, failed: this.#failed };
  }

  summary(): Pick<RunResult, "ran" | "completed" | "failed"> {
    const ran: JobName[] = [];
    const completed: JobName[] = [];
    const failed: RunResult["failed"][number][] = [];
    for (const [job, outcome] of this.#jobs) {
      if (outcome?.state !== "fail_start") ran.push(job);
      if (outcome === null) continue;
      if (outcome.state === "end" || (outcome.state === "kill" && this.#killCompletes)) completed.push(job);
      if (isBad(outcome)) failed.push({ job, ...outcome });
    }
    return { ran, completed, failed };
  }
}
