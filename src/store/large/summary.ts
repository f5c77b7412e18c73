/**
 * What the jobs of a queue come to, such as how many are in each state. One job more or less changes it without a look
 * at the others. It is the same however it came about; see `summary_text.ts` for its form on disk.
 *
 * @module
 */

import { hasDependencies } from "../../job/dependencies.ts";
import { type Job, placeOf } from "../../job/job.ts";
import { isLack } from "../../job/needs.ts";
import { endReason, isFailed } from "../../job/outcome.ts";
import { isWaiting, JOB_STATES, type JobState } from "../../job/states.ts";
import { durationMs } from "../../job/where.ts";
import type { JobName } from "../../names/grammar.ts";

/** A job that did not end well. */
export interface Failure {
  readonly job: JobName;
  readonly reason: string;
  readonly machine: string | null;
  readonly ended: string | null;
}

/** Failures that are kept, the newest; who shows five can lose some to a reset. */
const FAILURES = 32;
/** Jobs with a next try that are kept as they are. */
const TIMED = 64;
/** Reasons that no host fits, and seconds in which jobs ended, that are told apart. */
const LACKS = 32;
const SECONDS = 1_000;
/** Durations from here on are known by two digits. */
const EXACT_S = 100;

/** See the module. */
export class Summary {
  readonly counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  failed = 0;
  /** Jobs that wait, each counted once: held; after others; with a next try; as no host fits; all else. */
  held = 0;
  dependent = 0;
  /** By name; null where they are too many. */
  timed: Map<JobName, Job> | null = new Map();
  /** By the reason; null where there are too many reasons. */
  lacks: Map<string, number> | null = new Map();
  free = 0;
  /** How many of the jobs in `end` took so long, s, see {@link roundSeconds}. */
  readonly durations = new Map<number, number>();
  /** How many ended in each second since 1970, from {@link Summary.since} on; null where the seconds are too many. */
  ends: Map<number, number> | null = new Map();
  /** The newest failures, the newest first; by name where they ended in the same second. */
  failures: Failure[] = [];
  /** Where {@link Summary.failures} was cut off: what comes after it is not known. Null if all are there. */
  floor: Failure | null = null;
  /** Ends before this second are not counted. */
  readonly since: number;

  /** Of no job. */
  constructor(since: number) {
    this.since = since;
  }

  /** All jobs. */
  get total(): number {
    return JOB_STATES.reduce((sum, state) => sum + this.counts[state], 0);
  }

  /** Counts one more job. */
  add(job: Job): void {
    this.#count(job, 1);
    if (isFailed(job)) this.#keepFailure(failureOf(job));
  }

  /** Counts one job less, which has been counted as it is here. */
  remove(job: Job): void {
    this.#count(job, -1);
    if (isFailed(job)) this.failures = this.failures.filter((one) => one.job !== job.name);
  }

  /** Counts all jobs of another summary, which has none of these. */
  merge(other: Summary): void {
    for (const state of JOB_STATES) this.counts[state] += other.counts[state];
    this.failed += other.failed;
    this.held += other.held;
    this.dependent += other.dependent;
    this.free += other.free;
    this.timed = merged(this.timed, other.timed, TIMED, (_, job) => job);
    this.lacks = merged(this.lacks, other.lacks, LACKS, (a = 0, b) => a + b);
    for (const [seconds, count] of other.durations) shift(this.durations, seconds, count);
    const ends = other.ends === null ? null : new Map([...other.ends].filter(([second]) => second >= this.since));
    this.ends = merged(this.ends, ends, SECONDS, (a = 0, b) => a + b);
    for (const failure of other.failures) this.#keepFailure(failure);
    if (other.floor !== null) this.#cutAt(other.floor);
  }

  /** The newest failures, at most so many; null where they are not known. */
  newest(most: number): readonly Failure[] | null {
    return this.floor === null || this.failures.length >= most ? this.failures.slice(0, most) : null;
  }

  #count(job: Job, by: 1 | -1): void {
    this.counts[job.status] += by;
    if (isWaiting(job.status)) return this.#countWaiting(job, by);
    if (isFailed(job)) this.failed += by;
    const tookMs = job.status === "end" ? durationMs(job) : null;
    if (tookMs !== null) shift(this.durations, roundSeconds(tookMs), by);
    this.#countEnd(job, by);
  }

  #countWaiting(job: Job, by: 1 | -1): void {
    this.#countEnd(job, by);
    if (job.hold === true) this.held += by;
    else if (hasDependencies(job)) this.dependent += by;
    else if (typeof job.not_before === "string") this.timed = withJob(this.timed, job, by);
    else if (isLack(job.reason ?? "")) this.lacks = merged(this.lacks, new Map([[job.reason!, by]]), LACKS, sum);
    else this.free += by;
  }

  #countEnd({ ended }: Job, by: 1 | -1): void {
    if (ended === null || this.ends === null) return;
    const second = Math.floor(Date.parse(ended) / 1000);
    if (!(second >= this.since)) return;
    shift(this.ends, second, by);
    if (this.ends.size > SECONDS) this.ends = null;
  }

  #keepFailure(failure: Failure): void {
    if (this.floor !== null && compare(failure, this.floor) > 0) return;
    const { failures } = this;
    // The usual one is older than all that are kept, or newer.
    let at = failures.length;
    while (at > 0 && compare(failure, failures[at - 1]!) < 0) at--;
    failures.splice(at, 0, failure);
    if (failures.length > FAILURES) this.#cutAt(failures[FAILURES - 1]!);
  }

  #cutAt(floor: Failure): void {
    if (this.floor === null || compare(floor, this.floor) < 0) this.floor = floor;
    this.failures = this.failures.filter((one) => compare(one, this.floor!) <= 0);
  }
}

/** The summary of some jobs. */
export function summaryOf(jobs: Iterable<Job>, since: number): Summary {
  const summary = new Summary(since);
  for (const job of jobs) summary.add(job);
  return summary;
}

/** A duration as summaries know it, s: by two digits from 100 s on, so that there are few. */
export function roundSeconds(ms: number): number {
  const seconds = Math.round(ms / 1000);
  if (Math.abs(seconds) < EXACT_S) return seconds;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(seconds))) - 1);
  return Math.round(seconds / step) * step;
}

/** The duration that a part of all jobs did not exceed, s. Undefined where none is known. */
export function quantile(durations: ReadonlyMap<number, number>, part: number): number | undefined {
  const rows = [...durations].sort(([a], [b]) => a - b);
  const count = rows.reduce((sum, [, n]) => sum + n, 0);
  let left = Math.min(count - 1, Math.floor(count * part));
  for (const [seconds, n] of rows) {
    if (left < n) return seconds;
    left -= n;
  }
  return undefined;
}

/** How a job failed. */
export function failureOf(job: Job): Failure {
  return { job: job.name, reason: endReason(job), machine: placeOf(job), ended: job.ended };
}

/** Newest first. */
function compare(a: Failure, b: Failure): number {
  const [x, y] = [a.ended ?? "", b.ended ?? ""];
  return x !== y ? (x < y ? 1 : -1) : a.job < b.job ? -1 : a.job > b.job ? 1 : 0;
}

const sum = (a: number | undefined, b: number): number => (a ?? 0) + b;

function shift<K>(counts: Map<K, number>, key: K, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function withJob(timed: Map<JobName, Job> | null, job: Job, by: 1 | -1): Map<JobName, Job> | null {
  if (by > 0) timed?.set(job.name, job);
  else timed?.delete(job.name);
  return timed === null || timed.size > TIMED ? null : timed;
}

function merged<K, V>(
  into: Map<K, V> | null,
  from: Map<K, V> | null,
  most: number,
  add: (present: V | undefined, more: V) => V,
): Map<K, V> | null {
  if (into === null || from === null) return null;
  for (const [key, value] of from) {
    const now = add(into.get(key), value);
    if (now === 0) into.delete(key);
    else into.set(key, now);
  }
  return into.size > most ? null : into;
}
