/**
 * The jobs that a run has still to consider, in the order in which they are handed out: higher priority first, then the
 * order of the file. Each job is considered once: what was skipped or has run is not looked at again in the same run,
 * unless it was added anew or is to be tried again.
 *
 * A job that may not start yet (held, waits for others, or for its next try) is passed over and set aside. So is one
 * that fits no host. When nothing keeps it any more it comes back to its place. One that needs more than is free now is
 * parked: each time jobs are considered it is looked at again. A queue without such jobs is a cursor over a list. Work
 * in proportion to the queue is done only when a person reorders the file, changes priorities, or replaces a job behind
 * the cursor. Pure.
 *
 * @module
 */

import TinyQueue from "tinyqueue";
import type { JobName } from "../names/grammar.ts";
import { dependenceOf, edgeOf, hasDependencies } from "../job/dependencies.ts";
import type { Job } from "../job/job.ts";
import { type Needs, needsOf } from "../job/needs.ts";
import { dueMs } from "../job/retry.ts";
import { isWaiting } from "../job/states.ts";
import type { ExternalChanges, Jobs } from "../store/changes.ts";
import { Dependents, keeperOf } from "./dependents.ts";
import { JobOrder } from "./job_order.ts";
import { Parked } from "./parked.ts";

/** A job that can never start, and why. */
export interface Doomed {
  readonly job: JobName;
  readonly reason: string;
}

/** A cursor over the queue that survives changes of it. */
export class Candidates {
  readonly order = new JobOrder();
  /** Every job that was listed: null while it is to be considered, then the id it had when it was considered. */
  readonly #seen = new Map<JobName, string | null>();
  /** How many to be considered wait and are not set aside; -1 when it must be counted anew. */
  #waiting = -1;
  /** May not start yet. */
  readonly #aside = new Set<JobName>();
  /** Jobs that are set aside for a time, the earliest first. */
  #timed = newTimed();
  readonly #dependents = new Dependents();
  #doomed: Doomed[] = [];
  /** Jobs that need more than is free now. */
  readonly parked = new Parked((a, b) => this.order.compare(a, b));
  /** Jobs set aside because no host could hold them, and what to say of it. */
  readonly #unfit = new Map<JobName, string>();

  /** The wall clock, by which times are written down, is so far ahead of the clock of the run. */
  wallAheadMs = 0;
  /** By the job: what is written down, and when that is by the clock of the run. */
  readonly #due = new Map<JobName, { readonly text: string; readonly atMs: number }>();

  /** What a job needs of the run's hosts besides one slot. */
  needsOf: (job: Job) => Needs | null = needsOf;

  /** @param jobs The queue. @param skip Jobs that are not to be considered: those in flight. */
  constructor(jobs: Jobs, skip: Iterable<JobName>) {
    for (const name of skip) this.#seen.set(name, jobs.get(name)?.id ?? "");
    this.#rebuild(jobs);
  }

  /** Takes in what others changed. */
  apply(external: ExternalChanges, jobs: Jobs): void {
    let rebuild = external.reordered;
    for (const name of [...external.put, ...external.changed]) {
      if (this.parked.remove(name)) this.#enter(name, jobs);
    }
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
      if (name === null) return null;
      const job = jobs.get(name)!;
      if (this.#setAside(job, jobs, nowMs)) this.parked.remove(name);
      else if (this.parked.blocked === 0 || !this.#isBlocked(job, jobs)) return name;
    }
  }

  /** True if one that needs the same does not fit now; then this one is parked, too. */
  #isBlocked(job: Job, jobs: Jobs): boolean {
    const key = this.needsOf(job)?.key;
    if (key === undefined || !this.parked.isBlocked(key)) return false;
    this.park(job.name, key, jobs);
    return true;
  }

  /** The next job needs more than is free now: it waits, and those behind it that need something else come next. */
  park(name: JobName, key: string, jobs: Jobs): void {
    this.order.findPlaces(jobs);
    this.parked.park(name, key);
  }

  /** No host could hold the next job: it is set aside until the hosts are others. */
  setUnfit(name: JobName, reason: string): void {
    if (this.#waiting > 0) this.#waiting--;
    this.parked.remove(name);
    this.#aside.add(name);
    this.#unfit.set(name, reason);
  }

  /** The hosts are others now. */
  hostsChanged(jobs: Jobs): void {
    for (const name of [...this.#unfit.keys()]) this.#comeBack(name, jobs);
  }

  /** Marks a job as considered. */
  take(name: JobName, jobs: Jobs): void {
    const job = jobs.get(name);
    if (this.#waiting > 0 && this.isOpen(name) && job !== undefined && isWaiting(job.status)) this.#waiting--;
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
    const waiting = [...this.#aside].filter((name) => isWaiting(jobs.get(name)?.status ?? "end"));
    const groups = Map.groupBy(waiting, (name) => this.#unfit.get(name) ?? keeperOf(jobs.get(name)!, jobs));
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

  /** True if it is to be considered, and not set aside. */
  isOpen(name: JobName): boolean {
    return this.#seen.get(name) === null && !this.#aside.has(name);
  }

  /** True if a job that is to be considered has another priority than it is listed by. */
  #isMoved(name: JobName, jobs: Jobs): boolean {
    if (this.#seen.get(name) !== null) return false;
    return (jobs.get(name)?.priority ?? 0) !== this.order.priorityOf(name);
  }

  /** The first job of the list, of those that came back, or of those that are parked. */
  #head(jobs: Jobs): JobName | null {
    const first = this.order.head((name) => !jobs.has(name) || !this.isOpen(name) || this.parked.has(name));
    return this.parked.size === 0 ? first : this.order.earlier(this.parked.head(), first);
  }

  /** Sets a job aside that may not start yet. @returns False if nothing keeps it. */
  #setAside(job: Job, jobs: Jobs, nowMs: number): boolean {
    if (!isWaiting(job.status)) return false;
    const untilMs = this.#dueMs(job, nowMs);
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
  #dueMs(job: Job, nowMs: number): number {
    const { name, not_before: text } = job;
    if (typeof text !== "string") return 0;
    let due = this.#due.get(name);
    if (due?.text !== text) this.#due.set(name, due = { text, atMs: dueMs(job, nowMs, this.wallAheadMs) });
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
    if (this.parked.size > 0) this.parked.remove(name);
    if (!this.#aside.delete(name)) return;
    this.#dependents.forget(name);
    this.#unfit.delete(name);
  }

  /** Puts a job among those that came back. */
  #enter(name: JobName, jobs: Jobs): void {
    this.order.enter(name, jobs);
    if (this.#waiting >= 0 && isWaiting(jobs.get(name)?.status ?? "end")) this.#waiting++;
  }

  #append(name: JobName, jobs: Jobs): void {
    this.#seen.set(name, null);
    this.#dependents.note(jobs.get(name));
    const isListed = this.order.append(name, jobs);
    if (!isListed && this.#waiting >= 0 && isWaiting(jobs.get(name)?.status ?? "end")) this.#waiting++;
  }

  #rebuild(jobs: Jobs): void {
    this.#waiting = -1;
    this.#timed = newTimed();
    for (const map of [this.#aside, this.#dependents, this.parked, this.#unfit]) map.clear();
    const names: JobName[] = [];
    for (const [name, job] of jobs) {
      this.#dependents.note(job);
      const seen = this.#seen.get(name);
      if (seen === undefined) this.#seen.set(name, null);
      if (seen === undefined || seen === null) names.push(name);
    }
    this.order.rebuild(names, jobs);
  }
}

function newTimed(): TinyQueue<{ readonly name: JobName; readonly atMs: number }> {
  return new TinyQueue<{ readonly name: JobName; readonly atMs: number }>([], (a, b) => a.atMs - b.atMs);
}
