/**
 * Gathers what others did to a queue until somebody asks for it.
 *
 * @module
 */

import type { JobName } from "../../names/grammar.ts";
import type { Job } from "../../job/job.ts";
import { type ExternalChanges, type Jobs, NO_EXTERNAL_CHANGES } from "../changes.ts";
import { equalJobs } from "../yaml/job_record.ts";

/** External changes since they were last taken. Only what was touched costs anything. */
export class ChangeGatherer {
  /** Each touched job as it was when they were last taken. */
  #before = new Map<JobName, Job | null>();
  #reordered = false;
  #kill: JobName[] = [];
  #warnings: string[] = [];
  #told = new Set<string>();

  /**
   * To be called before a job is changed, with its present record. @returns True if it was there when they were last
   * taken.
   */
  touch(name: JobName, present: Job | undefined): boolean {
    if (!this.#before.has(name)) this.#before.set(name, present ?? null);
    return this.#before.get(name) !== null;
  }

  /**
   * To be called when the order of jobs may have changed: anything but the old ones in their order and then the new
   * ones.
   */
  compareOrder(before: Iterable<JobName>, after: ReadonlyMap<JobName, Job>): void {
    const names = after.keys();
    for (const name of before) {
      if (after.has(name) && names.next().value !== name) return this.reordered();
    }
  }

  /** The order of jobs has changed. */
  reordered(): void {
    this.#reordered = true;
  }

  /** Somebody asked the scheduler to end these jobs. */
  kill(jobs: readonly JobName[]): void {
    // Not by a spread, here and elsewhere: an argument for each of 100,000 jobs would be too many for the stack.
    for (const name of jobs) this.#kill.push(name);
  }

  /** A line for people. The same line is reported once until {@link ChangeGatherer.forgetWarnings}. */
  warn(text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#warnings.push(text);
  }

  /** From now on the same warnings count anew. */
  forgetWarnings(): void {
    this.#told.clear();
  }

  /** What is new in `jobs`; afterwards nothing is. */
  take(jobs: Jobs): ExternalChanges {
    if (this.#before.size === 0 && !this.#reordered && this.#kill.length === 0 && this.#warnings.length === 0) {
      return NO_EXTERNAL_CHANGES;
    }
    const put = new Set<JobName>();
    const changed: JobName[] = [];
    const deleted: JobName[] = [];
    for (const [name, old] of this.#before) {
      const now = jobs.get(name);
      if (now === undefined) {
        if (old !== null) deleted.push(name);
      } else if (old === null || old.id !== now.id) put.add(name);
      else if (!equalJobs(old, now)) changed.push(name);
    }
    const external: ExternalChanges = {
      put: put.size < 2 ? [...put] : [...jobs.keys()].filter((name) => put.has(name)),
      changed,
      deleted,
      reordered: this.#reordered,
      kill: this.#kill,
      warnings: this.#warnings,
    };
    this.#before = new Map();
    this.#reordered = false;
    this.#kill = [];
    this.#warnings = [];
    return external;
  }
}
