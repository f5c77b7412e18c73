/**
 * A queue as `queue watch` shows it, kept up to date change by change: what a look costs depends on what has changed,
 * not on how many jobs there are. Writes nothing.
 *
 * @module
 */

import { machineOf } from "../cluster/host.ts";
import { machineText, tellApart } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import { type Job, placeOf } from "../job/job.ts";
import { endReason, isFailed } from "../job/outcome.ts";
import { isInFlight, isWaiting, JOB_STATES, type JobState } from "../job/states.ts";
import { durationMs } from "../job/where.ts";
import type { JobName } from "../names/grammar.ts";
import { readCluster } from "../store/cluster_file.ts";
import { storePaths } from "../store/paths.ts";
import { type FeedChange, QueueFeed } from "../store/queue_feed.ts";
import { type QueuePause, readPause } from "../store/queue_pause.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { LastRun } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import { timeLeft } from "./queue_status.ts";

/** Jobs that are over and are kept, the newest first. */
const KEPT = 200;
/** Durations by which the time left is judged: of the last so many jobs. */
const DURATIONS = 1_000;
const RATE_MS = 60_000;
/** The run, the pause and the cluster's file are looked at this often. */
const SLOW_MS = 1_000;

/** A host with what runs there. */
export interface BoardHost {
  readonly name: string;
  /** Null where the run does not say: it was given machines, not a cluster. */
  readonly slots: number | null;
  /** Why it gets no jobs: `inactive`, `does not answer`; `""` if it does. */
  readonly trouble: string;
  readonly jobs: readonly Job[];
}

/** See the module. */
export class QueueBoard {
  /** Jobs in flight. */
  readonly running = new Map<JobName, Job>();
  run: LastRun | null = null;
  pause: QueuePause | null = null;
  /** Newest first. */
  ends: Job[] = [];
  failures: Job[] = [];
  failed = 0;
  total = 0;
  readonly counts: Record<JobState, number>;
  readonly #deps: Deps;
  readonly #queue: StoreRef;
  readonly #feed: QueueFeed;
  #isFirst = true;
  #slowAtMs = -Infinity;
  #cluster: readonly { id: string; machine: string; slots: number; status: string }[] = [];
  #durations: number[] = [];
  #endTimes: number[] = [];
  /** State of each failed job's end, so that a reset takes it out of the count. */
  readonly #failedNames = new Set<JobName>();

  /** Touches no file. */
  constructor(deps: Deps, queue: StoreRef) {
    this.#deps = deps;
    this.#queue = queue;
    this.#feed = new QueueFeed(deps, queue);
    this.counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
  }

  /** Takes in what has happened. @returns The changes, in order; null if there is no such queue. */
  async look(): Promise<readonly FeedChange[] | null> {
    const changes = await this.#feed.look();
    if (changes === null) return null;
    await this.#lookSlowly();
    if (this.#isFirst) {
      this.#isFirst = false;
      this.#begin([...this.#feed.jobs.values()]);
      return [];
    }
    for (const change of changes) this.#take(change);
    return changes;
  }

  /** Closes what it holds open. */
  close(): void {
    this.#feed.close();
  }

  /** Jobs that are over. */
  get done(): number {
    return this.counts.end + this.counts.kill + this.counts.fail_start + this.counts.crash;
  }

  /** True if a run works on the queue. */
  get isRun(): boolean {
    return this.run?.isRunning === true;
  }

  /** Ends for each second of the last minute. */
  rate(): number {
    const nowMs = this.#deps.clock.epochMs();
    const from = this.#endTimes.findIndex((atMs) => nowMs - atMs < RATE_MS);
    this.#endTimes = from < 0 ? [] : this.#endTimes.slice(from);
    return this.#endTimes.length / (RATE_MS / 1000);
  }

  /** How long the rest takes, ms, between the two; null where nothing is known. */
  left(): readonly [number, number] | null {
    if (!this.isRun) return null;
    return timeLeft([...this.#durations], this.total - this.done, this.run!.about.slots);
  }

  /** How long a job that runs has run, ms; null before its host has said that it does. */
  runsFor(job: Job): number | null {
    if (job.status !== "start" || job.started === null) return null;
    return Math.max(0, this.#deps.clock.epochMs() - Date.parse(job.started));
  }

  /** The hosts of the run with what runs there; without a run, where jobs run on. */
  hosts(): BoardHost[] {
    const bySlot = Map.groupBy(this.running.values(), (job) => `${placeOf(job) ?? "?"} ${job.slot}`);
    const taken = new Set<Job>();
    const hosts = this.#cluster.map(({ id, machine, slots, status }): BoardHost => {
      const jobs = bySlot.get(`${machine} ${id}`) ?? [];
      for (const job of jobs) taken.add(job);
      const isDown = this.run?.about.machines[machine] === "down";
      return { name: id, slots, trouble: status !== "active" ? status : isDown ? "does not answer" : "", jobs };
    });
    const others = Map.groupBy(
      [...this.running.values()].filter((job) => !taken.has(job)),
      (job) => placeOf(job) ?? "?",
    );
    const machines = this.#cluster.length > 0 || !this.isRun ? [] : Object.keys(this.run!.about.machines);
    for (const name of new Set([...machines, ...others.keys()])) {
      const isDown = this.isRun && this.run!.about.machines[name] === "down";
      hosts.push({ name, slots: null, trouble: isDown ? "does not answer" : "", jobs: others.get(name) ?? [] });
    }
    return hosts;
  }

  async #lookSlowly(): Promise<void> {
    const { clock } = this.#deps;
    if (clock.now() < this.#slowAtMs) return;
    this.#slowAtMs = clock.now() + SLOW_MS;
    const paths = storePaths(this.#queue, "queue");
    this.run = await readLastRun(this.#deps, paths);
    this.pause = await readPause(this.#deps, paths);
    const name = this.isRun ? this.run!.about.cluster : null;
    // An edit that cannot be read leaves what was known.
    if (name === null) this.#cluster = [];
    else await this.#readCluster(name).catch(() => {});
  }

  async #readCluster(name: string): Promise<void> {
    const hosts = [...(await readCluster(this.#deps, { ...this.#queue, name })).values()];
    const machines = tellApart(hosts.map(machineOf));
    this.#cluster = hosts.map(({ id, status, max_jobs_allowed }, i) => ({
      id,
      machine: machineText(machines[i]!),
      slots: max_jobs_allowed,
      status,
    }));
  }

  #begin(jobs: readonly Job[]): void {
    const over: Job[] = [];
    const nowMs = this.#deps.clock.epochMs();
    for (const job of jobs) {
      this.#count(job, 1);
      if (isInFlight(job.status)) this.running.set(job.name, job);
      else if (!isWaiting(job.status)) over.push(job);
    }
    over.sort((a, b) => (b.ended ?? "").localeCompare(a.ended ?? ""));
    this.ends = over.slice(0, KEPT);
    this.failures = over.filter(isFailed).slice(0, KEPT);
    for (const job of over.slice(0, DURATIONS)) this.#noteDuration(job);
    this.#endTimes = over.flatMap(({ ended }) => ended === null ? [] : Date.parse(ended))
      .filter((atMs) => nowMs - atMs < RATE_MS).reverse();
  }

  #take({ type, job, from }: FeedChange): void {
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
    this.ends = [job, ...this.ends.filter(({ name }) => name !== job.name)].slice(0, KEPT);
    if (isFailed(job)) this.failures = [job, ...this.failures.filter(({ name }) => name !== job.name)].slice(0, KEPT);
    this.#endTimes.push(this.#deps.clock.epochMs());
    this.#noteDuration(job);
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

/** How a job that is over ended, in a word or two. */
export function endText(job: Job): string {
  return isFailed(job) ? endReason(job) : "ended well";
}
