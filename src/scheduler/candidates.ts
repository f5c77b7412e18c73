/**
 * The jobs that a run has still to consider, in file order. Each job is considered once: what was skipped or has run is not
 * looked at again in the same run, unless it was added anew (SEED, "Schedulers"). Work in proportion to the queue is done only
 * when a person reorders the file or a job behind the cursor is replaced. Pure.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import { isWaiting } from "../job/states.ts";
import type { Jobs, News } from "../store/changes.ts";

/** A cursor over the queue that survives changes of it. */
export class Candidates {
  #order: JobName[] = [];
  #next = 0;
  /** Every job that was listed: null while it is to be considered, then the id it had when it was considered. */
  readonly #seen = new Map<JobName, string | null>();
  /** How many to be considered wait; -1 when it must be counted anew. */
  #waiting = -1;

  /** @param jobs The queue. @param skip Jobs that are not to be considered: those in flight. */
  constructor(jobs: Jobs, skip: Iterable<JobName>) {
    for (const name of skip) this.#seen.set(name, jobs.get(name)?.id ?? "");
    this.#rebuild(jobs);
  }

  /** Takes in what others changed. */
  apply(news: News, jobs: Jobs): void {
    let rebuild = news.reordered;
    for (const name of news.put) {
      const seen = this.#seen.get(name);
      if (seen === undefined) {
        this.#seen.set(name, null);
        this.#order.push(name);
      } else if (seen !== null && seen !== jobs.get(name)?.id) {
        this.#seen.set(name, null); // It keeps its place in the file, which may lie behind the cursor.
        rebuild = true;
      }
    }
    // A deleted name stays on the list as considered, so that the same name put again later is found to stand twice.
    for (const name of news.deleted) if (this.#seen.has(name)) this.#seen.set(name, "");
    if (news.put.length + news.deleted.length + news.changed.length > 0) this.#waiting = -1;
    if (rebuild) this.#rebuild(jobs);
  }

  /** The next job to consider, or null. Does not move past it. */
  peek(jobs: Jobs): JobName | null {
    while (this.#next < this.#order.length) {
      const name = this.#order[this.#next]!;
      if (jobs.has(name) && this.#seen.get(name) === null) return name;
      this.#next++;
    }
    return null;
  }

  /** The next `count` jobs at most that are to be considered and wait. */
  upcoming(jobs: Jobs, count: number): Job[] {
    const found: Job[] = [];
    for (let i = this.#next; i < this.#order.length && found.length < count; i++) {
      const job = jobs.get(this.#order[i]!);
      if (job !== undefined && this.#seen.get(job.name) === null && isWaiting(job.status)) found.push(job);
    }
    return found;
  }

  /** Marks a job as considered. */
  take(name: JobName, jobs: Jobs): void {
    const job = jobs.get(name);
    if (this.#waiting > 0 && this.#seen.get(name) === null && job !== undefined && isWaiting(job.status)) {
      this.#waiting--;
    }
    this.#seen.set(name, job?.id ?? "");
  }

  /** Puts jobs back that were considered and proved not to have been started, at their places in the file. */
  putBack(names: readonly JobName[], jobs: Jobs): void {
    if (names.length === 0) return;
    for (const name of names) this.#seen.set(name, null);
    this.#rebuild(jobs);
  }

  /** How many jobs wait that are not yet considered. */
  waiting(jobs: Jobs): number {
    if (this.#waiting < 0) {
      this.#waiting = 0;
      for (let i = this.#next; i < this.#order.length; i++) {
        const job = jobs.get(this.#order[i]!);
        if (job !== undefined && this.#seen.get(job.name) === null && isWaiting(job.status)) this.#waiting++;
      }
    }
    return this.#waiting;
  }

  #rebuild(jobs: Jobs): void {
    this.#order = [];
    this.#next = 0;
    this.#waiting = -1;
    for (const name of jobs.keys()) {
      const seen = this.#seen.get(name);
      if (seen === undefined) this.#seen.set(name, null);
      if (seen === undefined || seen === null) this.#order.push(name);
    }
  }
}
