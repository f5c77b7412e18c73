/**
 * What can be counted of a queue, kept change by change: what a change costs does not depend on how many jobs there
 * are. Reads no file.
 *
 * @module
 */

import type { Clock } from "../deps.ts";
import type { Job } from "../job/job.ts";
import { isFailed } from "../job/outcome.ts";
import { isInFlight, isWaiting, JOB_STATES, type JobState } from "../job/states.ts";
import { durationMs } from "../job/where.ts";
import type { JobName } from "../names/grammar.ts";
import type { FeedChange } from "../store/queue_feed.ts";
import { countSeconds, elapsed, timeLeft } from "./time_left.ts";

/** Jobs that are over and are kept, the newest first. */
const KEPT = 200;
/** Durations by which the time left is judged: of the last so many jobs. */
const DURATIONS = 1_000;
const RATE_MS = 60_000;

/** See the module. */
export class QueueTally {
  /** Jobs in flight. */
  readonly running = new Map<JobName, Job>();
  failed = 0;
  total = 0;
  readonly counts: Record<JobState, number>;
  readonly #clock: Pick<Clock, "epochMs">;
  /** Oldest first. */
  readonly #ends = new Map<JobName, Job>();
  readonly #failures = new Map<JobName, Job>();
  #durations: number[] = [];
  #endTimes: number[] = [];
  /** Failed jobs, so that a reset takes one out of the count. */
  readonly #failedNames = new Set<JobName>();

  /** Of a queue without jobs. */
  constructor(clock: Pick<Clock, "epochMs">) {
    this.#clock = clock;
    this.counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  }

  /** Counts the jobs of a queue, once. */
  begin(jobs: Iterable<Job>): void {
    const over: Job[] = [];
    const nowMs = this.#clock.epochMs();
    for (const job of jobs) {
      this.#count(job, 1);
      if (isInFlight(job.status)) this.running.set(job.name, job);
      else if (!isWaiting(job.status)) over.push(job);
    }
    over.sort((a, b) => compareTexts(b.ended ?? "", a.ended ?? ""));
    for (const job of over.slice(0, KEPT).reverse()) keep(this.#ends, job);
    for (const job of over.filter(isFailed).slice(0, KEPT).reverse()) keep(this.#failures, job);
    for (const job of over.slice(0, DURATIONS)) this.#noteDuration(job);
    for (const { ended } of over) {
      if (ended === null) continue;
      const atMs = Date.parse(ended);
      if (nowMs - atMs >= RATE_MS) break;
      this.#endTimes.push(atMs);
    }
    this.#endTimes.reverse();
  }

  /** Takes in a change. */
  take({ type, job, from }: FeedChange): void {
    if (type === "deleted") {
      this.#count({ ...job, status: from }, -1);
      this.running.delete(job.name);
      return;
    }
    if (type === "moved") this.#count({ ...job, status: from }, -1);
    this.#count(job, 1);
    if (isInFlight(job.status)) return void this.running.set(job.name, job);
    this.running.delete(job.name);
    if (isWaiting(job.status) || type === "added") return;
    keep(this.#ends, job);
    if (isFailed(job)) keep(this.#failures, job);
    this.#endTimes.push(this.#clock.epochMs());
    this.#noteDuration(job);
  }

  /** Jobs that ended last, newest first. */
  get ends(): Job[] {
    return [...this.#ends.values()].reverse();
  }

  /** Those that did not end well. */
  get failures(): Job[] {
    return [...this.#failures.values()].reverse();
  }

  /** Jobs that are over. */
  get done(): number {
    return this.counts.end + this.counts.kill + this.counts.fail_start + this.counts.crash;
  }

  /** The newest of those that are failed now. */
  lastFailures(most: number): Job[] {
    return this.failures.filter(({ name }) => this.#failedNames.has(name)).slice(0, most);
  }

  /** Ends for each second of the last minute. */
  rate(): number {
    const nowMs = this.#clock.epochMs();
    const from = this.#endTimes.findIndex((atMs) => nowMs - atMs < RATE_MS);
    const count = from < 0 ? 0 : this.#endTimes.length - from;
    // Copied only where it pays: there may be tens of thousands.
    if (count < this.#endTimes.length / 2) this.#endTimes = this.#endTimes.slice(this.#endTimes.length - count);
    return count / (RATE_MS / 1000);
  }

  /** How long `open` jobs take on so many slots, ms, between the two; null where nothing is known. */
  left(open: number, slots: number): readonly [number, number] | null {
    const running = elapsed(this.running.values(), this.#clock.epochMs());
    return timeLeft(countSeconds(this.#durations.slice(-DURATIONS)), { open, slots, running });
  }

  #count(job: Job, by: 1 | -1): void {
    this.counts[job.status] += by;
    this.total += by;
    if (by < 0) this.#failedNames.delete(job.name);
    else if (isFailed(job)) this.#failedNames.add(job.name);
    this.failed = this.#failedNames.size;
  }

  #noteDuration(job: Job): void {
    const tookMs = job.status === "end" ? durationMs(job) : null;
    if (tookMs === null) return;
    this.#durations.push(tookMs);
    if (this.#durations.length > 2 * DURATIONS) this.#durations = this.#durations.slice(-DURATIONS);
  }
}

/** Puts a job at the end of those that are kept. */
function keep(jobs: Map<JobName, Job>, job: Job): void {
  jobs.delete(job.name);
  jobs.set(job.name, job);
  if (jobs.size <= KEPT) return;
  const [oldest] = jobs.keys();
  jobs.delete(oldest!);
}

/** By code units: for times, which are ASCII, the same as by language, and much faster. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
