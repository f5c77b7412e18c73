/**
 * The order in which the jobs of a queue are looked at: higher priority first, then the order of the file. A list with
 * a cursor, and beside it the jobs that come back to their places. Pure.
 *
 * @module
 */

import TinyQueue from "tinyqueue";
import type { JobName } from "../names/grammar.ts";
import type { Jobs } from "../store/changes.ts";

/** The list and its cursor. */
export class JobOrder {
  /** In order. */
  #order: JobName[] = [];
  #next = 0;
  /** Priorities other than 0. */
  readonly #priorities = new Map<JobName, number>();
  /** Places in the file, for jobs that come back; null until one does. */
  #places: Map<JobName, number> | null = null;
  /** Jobs that came back, the first in order first. */
  #back = this.#newBack();

  /** Lists jobs anew, given in the order of the file. */
  rebuild(names: Iterable<JobName>, jobs: Jobs): void {
    this.#order = [...names];
    this.#next = 0;
    this.#places = null;
    this.#back = this.#newBack();
    this.#priorities.clear();
    for (const name of this.#order) {
      const priority = jobs.get(name)?.priority;
      if (priority) this.#priorities.set(name, priority);
    }
    if (this.#priorities.size === 0) return;
    const of = (name: JobName): number => this.#priorities.get(name) ?? 0;
    this.#order.sort((a, b) => of(b) - of(a)); // Stable: in the order of the file where they are equal.
  }

  /** The first job of the list or of those that came back; those that are gone are passed for good. */
  head(isGone: (name: JobName) => boolean): JobName | null {
    while (this.#next < this.#order.length && isGone(this.#order[this.#next]!)) this.#next++;
    while (this.#back.length > 0 && isGone(this.#back.peek()!)) this.#back.pop();
    return this.earlier(this.#back.peek() ?? null, this.#order[this.#next] ?? null);
  }

  /** The next jobs of the list, so many at most. */
  behind(most: number): readonly JobName[] {
    return this.#order.slice(this.#next, this.#next + most);
  }

  /** Those that came back, in no order. Some may be gone. */
  get back(): readonly JobName[] {
    return this.#back.data;
  }

  /** Adds a new job at the end of the file. @returns False if it came among those that came back. */
  append(name: JobName, jobs: Jobs): boolean {
    if (this.#places?.has(name) === false) this.#places.set(name, this.#places.size);
    const priority = jobs.get(name)?.priority ?? 0;
    if (priority !== 0) this.#priorities.set(name, priority);
    const last = this.priorityOf(this.#order.at(-1) ?? name);
    if (this.#order.length > 0 && priority > last) {
      this.enter(name, jobs);
      return false;
    }
    this.#order.push(name);
    return true;
  }

  /** Puts a job among those that came back. */
  enter(name: JobName, jobs: Jobs): void {
    this.findPlaces(jobs);
    // It may have been changed while the job was considered.
    const priority = jobs.get(name)?.priority ?? 0;
    if (priority === 0) this.#priorities.delete(name);
    else this.#priorities.set(name, priority);
    this.#back.push(name);
  }

  /** Makes {@link JobOrder.compare} know the places of all jobs. */
  findPlaces(jobs: Jobs): void {
    this.#places ??= new Map([...jobs.keys()].map((one, place) => [one, place]));
  }

  /** The priority by which a job is listed. */
  priorityOf(name: JobName): number {
    return this.#priorities.get(name) ?? 0;
  }

  compare(a: JobName, b: JobName): number {
    const byPriority = this.priorityOf(b) - this.priorityOf(a);
    return byPriority || (this.#places?.get(a) ?? 0) - (this.#places?.get(b) ?? 0);
  }

  /** The first of two in order. */
  earlier(a: JobName | null, b: JobName | null): JobName | null {
    if (a === null || b === null) return a ?? b;
    return this.compare(a, b) <= 0 ? a : b;
  }

  #newBack(): TinyQueue<JobName> {
    return new TinyQueue<JobName>([], (a, b) => this.compare(a, b));
  }
}
