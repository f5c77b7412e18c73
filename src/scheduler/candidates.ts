/**
 * The jobs that a run has still to consider, in the order in which they are handed out: higher priority first, then the
 * order of the file. Each job is considered once: what was skipped or has run is not looked at again in the same run,
 * unless it was added anew or is to be tried again.
 *
 * A job that may not start yet (held, waits for others, or for its next try) is passed over and set aside. When nothing
 * keeps it any more it comes back to its place. A queue without such jobs is a cursor over a list. Work in proportion
 * to the queue is done only when a person reorders the file, changes priorities, or replaces a job behind the cursor.
 * Pure.
 *
 * @module
 */

import TinyQueue from "tinyqueue";
import type { JobName } from "../names/grammar.ts";
import { dependenceOf, edgeOf, hasDependencies } from "../job/dependencies.ts";
import type { Job } from "../job/job.ts";
import { isWaiting } from "../job/states.ts";
import type { ExternalChanges, Jobs } from "../store/changes.ts";
import { Dependents, keeperOf } from "./dependents.ts";

/** A job that can never start, and why. */
export interface Doomed {
  readonly job: JobName;
  readonly reason: string;
}

/** How many jobs are looked at for each that {@link Candidates.upcoming} is asked for. */
const LOOKS_FOR_EACH = 4;

/** A cursor over the queue that survives changes of it. */
export class Candidates {
  /** In order. */
  #order: JobName[] = [];
  #next = 0;
  /** Every job that was listed: null while it is to be considered, then the id it had when it was considered. */
  readonly #seen = new Map<JobName, string | null>();
  /** How many to be considered wait and are not set aside; -1 when it must be counted anew. */
  #waiting = -1;
  /** Priorities other than 0. */
  readonly #priorities = new Map<JobName, number>();
  /** Places in the file, for jobs that come back; null until one does. */
  #places: Map<JobName, number> | null = null;
  /** Jobs that came back, the first in order first. */
  #back = this.#newBack();
  /** May not start yet. */
  readonly #aside = new Set<JobName>();
  /** Jobs that are set aside for a time, the earliest first. */
  #timed = newTimed();
  readonly #dependents = new Dependents();
  #doomed: Doomed[] = [];

  /** The wall clock, by which times are written down, is so far ahead of the clock of the run. */
  wallAheadMs = 0;
  /** By the job: what is written down, and when that is by the clock of the run. */
  readonly #due = new Map<JobName, { readonly text: string; readonly atMs: number }>();

  /** @param jobs The queue. @param skip Jobs that are not to be considered: those in flight. */
  constructor(jobs: Jobs, skip: Iterable<JobName>) {
    for (const name of skip) this.#seen.set(name, jobs.get(name)?.id ?? "");
    this.#rebuild(jobs);
  }

  /** Takes in what others changed. */
  apply(external: ExternalChanges, jobs: Jobs): void {
    let rebuild = external.reordered;
    for (const name of external.put) {
      const seen = this.#seen.get(name);
      if (seen === undefined) this.#append(name, jobs);
      else if (seen !== null && seen !== jobs.get(name)?.id) {
        this.#seen.set(name, null); // It keeps its place in the file, which may lie behind the cursor.
        rebuild = true;
      } else {
        rebuild ||= this.#isMoved(name, jobs);
        this.#dependents.note(jobs.get(name));
        this.#comeBack(name, jobs);
      }
    }
    // A deleted name counts as considered: the same name put again later is another job at the place of the first.
    for (const name of external.deleted) {
      if (this.#seen.has(name)) this.#seen.set(name, "");
      this.#forget(name);
    }
    for (const name of external.changed) {
      this.#dependents.note(jobs.get(name));
      rebuild ||= this.#isMoved(name, jobs);
      this.#comeBack(name, jobs);
    }
    if (external.put.length + external.deleted.length + external.changed.length > 0) this.#waiting = -1;
    if (rebuild) this.#rebuild(jobs);
    else for (const name of [...external.put, ...external.changed]) this.moved(name, jobs);
  }

  /** The next job to consider, or null. Does not move past it. */
  peek(jobs: Jobs, nowMs: number): JobName | null {
    for (let first = this.#timed.peek(); first !== undefined && first.atMs <= nowMs; first = this.#timed.peek()) {
      this.#timed.pop();
      this.#comeBack(first.name, jobs);
    }
    for (;;) {
      const name = this.#head(jobs);
      if (name === null || !this.#setAside(jobs.get(name)!, jobs, nowMs)) return name;
    }
  }

  /**
   * The next `count` jobs at most that are to be considered, wait, and wait for nothing else. It looks only so far
   * ahead: behind the last of them there may be 100,000 that wait for others.
   */
  upcoming(jobs: Jobs, count: number): Job[] {
    const found: Job[] = [];
    const end = Math.min(this.#order.length, this.#next + LOOKS_FOR_EACH * count);
    for (let i = this.#next; i < end && found.length < count; i++) {
      const job = jobs.get(this.#order[i]!);
      if (job === undefined || !this.#isOpen(job.name) || !isWaiting(job.status)) continue;
      if (job.hold !== true && !hasDependencies(job)) found.push(job);
    }
    return found;
  }

  /** Marks a job as considered. */
  take(name: JobName, jobs: Jobs): void {
    const job = jobs.get(name);
    if (this.#waiting > 0 && this.#isOpen(name) && job !== undefined && isWaiting(job.status)) this.#waiting--;
    this.#seen.set(name, job?.id ?? "");
    this.#forget(name);
  }

  /** Lets jobs be considered again, at their places: they proved not to have been started, or are to be tried again. */
  putBack(names: readonly JobName[], jobs: Jobs): void {
    for (const name of names) {
      if (!jobs.has(name) || this.#seen.get(name) === null) continue;
      this.#seen.set(name, null);
      this.#enter(name, jobs);
    }
  }

  /** The state of a job is another now: jobs that wait for it may start, or never will. */
  moved(name: JobName, jobs: Jobs): void {
    if (this.#dependents.isEmpty) return;
    // What can never start takes along what waits for it in the same step, however long the chain is.
    const over = new Map<JobName, Job>();
    const view = { get: (one: JobName) => over.get(one) ?? jobs.get(one) };
    const open = [name];
    for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
      for (const child of this.#dependents.of(parent)) {
        const job = this.#aside.has(child) ? jobs.get(child) : undefined;
        const edge = job === undefined ? null : edgeOf(job, parent, view);
        if (edge?.type === "waits") continue;
        this.#dependents.drop(parent, child);
        if (job === undefined || edge === null) continue;
        if (edge.type === "never") {
          this.#doom(job, edge.reason);
          over.set(child, { ...job, status: "fail_start", reason: edge.reason });
          open.push(child);
          continue;
        }
        // Whether nothing else keeps it is seen when its turn comes.
        if (this.#dependents.met(child)) this.#comeBack(child, jobs);
      }
    }
  }

  /** Jobs that can never start, each once. They count as considered. */
  takeDoomed(): Doomed[] {
    const doomed = this.#doomed;
    if (doomed.length > 0) this.#doomed = [];
    return doomed;
  }

  /** How many jobs wait that are not yet considered and not set aside. */
  waiting(jobs: Jobs): number {
    if (this.#waiting < 0) {
      this.#waiting = 0;
      for (const [name, seen] of this.#seen) {
        const job = seen === null && !this.#aside.has(name) ? jobs.get(name) : undefined;
        if (job !== undefined && isWaiting(job.status)) this.#waiting++;
      }
    }
    return this.#waiting;
  }

  /** Jobs that are set aside. */
  get aside(): ReadonlySet<JobName> {
    return this.#aside;
  }

  /** What keeps the jobs that are set aside, those in one group for which it is the same. */
  left(jobs: Jobs): { reason: string; jobs: JobName[] }[] {
    const groups = new Map<string, JobName[]>();
    for (const name of this.#aside) {
      const job = jobs.get(name);
      if (job === undefined || !isWaiting(job.status)) continue;
      const reason = keeperOf(job, jobs);
      const group = groups.get(reason);
      if (group === undefined) groups.set(reason, [name]);
      else group.push(name);
    }
    return [...groups].map(([reason, jobs]) => ({ reason, jobs }));
  }

  /** True if another job waits for this one, whether it was looked at already or not. */
  isParent(name: JobName): boolean {
    return this.#dependents.isParent(name);
  }

  /** When the next job that waits for a time comes back, epoch ms; Infinity for none. */
  get wakeAtMs(): number {
    return this.#timed.peek()?.atMs ?? Infinity;
  }

  #isOpen(name: JobName): boolean {
    return this.#seen.get(name) === null && !this.#aside.has(name);
  }

  /** True if a job that is to be considered has another priority than it is listed by. */
  #isMoved(name: JobName, jobs: Jobs): boolean {
    if (this.#seen.get(name) !== null) return false;
    return (jobs.get(name)?.priority ?? 0) !== (this.#priorities.get(name) ?? 0);
  }

  /** The first job of the list or of those that came back. */
  #head(jobs: Jobs): JobName | null {
    const isGone = (name: JobName): boolean => !jobs.has(name) || !this.#isOpen(name);
    while (this.#next < this.#order.length && isGone(this.#order[this.#next]!)) this.#next++;
    while (this.#back.length > 0 && isGone(this.#back.peek()!)) this.#back.pop();
    const listed = this.#order[this.#next];
    const back = this.#back.peek();
    if (back === undefined || listed === undefined) return back ?? listed ?? null;
    return this.#compare(back, listed) <= 0 ? back : listed;
  }

  /** Sets a job aside that may not start yet. @returns False if nothing keeps it. */
  #setAside(job: Job, jobs: Jobs, nowMs: number): boolean {
    if (!isWaiting(job.status)) return false;
    const untilMs = this.#dueMs(job);
    const dependence = hasDependencies(job) ? dependenceOf(job, jobs) : null;
    const isKept = dependence !== null && dependence.type !== "met";
    if (!isKept && job.hold !== true && !(untilMs > nowMs)) return false;
    if (this.#waiting > 0) this.#waiting--;
    this.#aside.add(job.name);
    if (untilMs > nowMs) this.#timed.push({ name: job.name, atMs: untilMs });
    if (isKept) this.#dependents.add(job, jobs);
    if (dependence?.type === "never") this.moved(dependence.because, jobs);
    return true;
  }

  /** When a job may start, by the clock of the run. Worked out once: whoever sets the wall clock changes no wait. */
  #dueMs({ name, not_before }: Job): number {
    if (typeof not_before !== "string") return 0;
    let due = this.#due.get(name);
    if (due?.text !== not_before) due = { text: not_before, atMs: Date.parse(not_before) - this.wallAheadMs };
    this.#due.set(name, due);
    return due.atMs;
  }

  #doom(job: Job, reason: string): void {
    this.#doomed.push({ job: job.name, reason });
    this.#seen.set(job.name, job.id);
    this.#forget(job.name);
  }

  #comeBack(name: JobName, jobs: Jobs): void {
    if (!this.#aside.has(name)) return;
    this.#forget(name);
    this.#enter(name, jobs);
  }

  /** A job is not set aside any more. What it waited for finds that out. */
  #forget(name: JobName): void {
    if (this.#aside.delete(name)) this.#dependents.forget(name);
  }

  /** Puts a job among those that came back. */
  #enter(name: JobName, jobs: Jobs): void {
    this.#places ??= new Map([...jobs.keys()].map((one, place) => [one, place]));
    // It may have been changed while the job was considered.
    const priority = jobs.get(name)?.priority ?? 0;
    if (priority === 0) this.#priorities.delete(name);
    else this.#priorities.set(name, priority);
    this.#back.push(name);
    if (this.#waiting >= 0 && isWaiting(jobs.get(name)?.status ?? "end")) this.#waiting++;
  }

  #append(name: JobName, jobs: Jobs): void {
    this.#seen.set(name, null);
    this.#dependents.note(jobs.get(name));
    if (this.#places?.has(name) === false) this.#places.set(name, this.#places.size);
    const priority = jobs.get(name)?.priority ?? 0;
    if (priority !== 0) this.#priorities.set(name, priority);
    const last = this.#priorities.get(this.#order.at(-1) ?? name) ?? 0;
    if (this.#order.length > 0 && priority > last) this.#enter(name, jobs);
    else this.#order.push(name);
  }

  #compare(a: JobName, b: JobName): number {
    const byPriority = (this.#priorities.get(b) ?? 0) - (this.#priorities.get(a) ?? 0);
    return byPriority || (this.#places?.get(a) ?? 0) - (this.#places?.get(b) ?? 0);
  }

  #newBack(): TinyQueue<JobName> {
    return new TinyQueue<JobName>([], (a, b) => this.#compare(a, b));
  }

  #rebuild(jobs: Jobs): void {
    this.#order = [];
    this.#next = 0;
    this.#waiting = -1;
    this.#places = null;
    this.#back = this.#newBack();
    this.#timed = newTimed();
    for (const map of [this.#priorities, this.#aside, this.#dependents]) map.clear();
    for (const [name, job] of jobs) {
      this.#dependents.note(job);
      const seen = this.#seen.get(name);
      if (seen === undefined) this.#seen.set(name, null);
      if (seen !== undefined && seen !== null) continue;
      this.#order.push(name);
      if (job.priority) this.#priorities.set(name, job.priority);
    }
    if (this.#priorities.size === 0) return;
    const of = (name: JobName): number => this.#priorities.get(name) ?? 0;
    this.#order.sort((a, b) => of(b) - of(a)); // Stable: in the order of the file where they are equal.
  }
}

function newTimed(): TinyQueue<{ readonly name: JobName; readonly atMs: number }> {
  return new TinyQueue<{ readonly name: JobName; readonly atMs: number }>([], (a, b) => a.atMs - b.atMs);
}
