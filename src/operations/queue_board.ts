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
import type { JobState } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import { readClusters } from "../store/cluster_file.ts";
import { storePaths } from "../store/paths.ts";
import { type FeedChange, QueueFeed } from "../store/queue_feed.ts";
import { type QueuePause, readPause } from "../store/queue_pause.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { LastRun } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import { QueueTally } from "./queue_tally.ts";
import { runningJobs } from "./used_slots.ts";

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
  run: LastRun | null = null;
  pause: QueuePause | null = null;
  readonly #deps: Deps;
  readonly #queue: StoreRef;
  readonly #feed: QueueFeed;
  #isFirst = true;
  #slowAtMs = -Infinity;
  #cluster: readonly { id: string; machine: string; slots: number; status: string }[] = [];
  readonly #tally: QueueTally;

  /** Touches no file. */
  constructor(deps: Deps, queue: StoreRef) {
    this.#deps = deps;
    this.#queue = queue;
    this.#feed = new QueueFeed(deps, queue);
    this.#tally = new QueueTally(deps.clock);
  }

  /** Takes in what has happened. @returns The changes, in order; null if there is no such queue. */
  async look(): Promise<readonly FeedChange[] | null> {
    const changes = await this.#feed.look();
    if (changes === null) return null;
    await this.#lookSlowly();
    if (this.#isFirst) {
      this.#isFirst = false;
      this.#tally.begin(this.#feed.jobs.values());
      return [];
    }
    for (const change of changes) this.#tally.take(change);
    return changes;
  }

  /** Closes what it holds open. */
  close(): void {
    this.#feed.close();
  }

  /** Jobs in flight. */
  get running(): ReadonlyMap<JobName, Job> {
    return this.#tally.running;
  }

  /** Jobs that are over, the newest first: some of them. */
  get ends(): readonly Job[] {
    return this.#tally.ends;
  }

  /** Those that failed, the same. */
  get failures(): readonly Job[] {
    return this.#tally.failures;
  }

  /** How many failed. */
  get failed(): number {
    return this.#tally.failed;
  }

  /** How many there are. */
  get total(): number {
    return this.#tally.total;
  }

  /** Jobs by state. */
  get counts(): Readonly<Record<JobState, number>> {
    return this.#tally.counts;
  }

  /** How many jobs run; those that were sent ahead wait on their hosts. */
  get runningCount(): number {
    return runningJobs(this.counts, this.isRun ? this.run!.about.slots : null);
  }

  /** Jobs that are over. */
  get done(): number {
    return this.#tally.done;
  }

  /** True if a run works on the queue. */
  get isRun(): boolean {
    return this.run?.isRunning === true;
  }

  /** Ends for each second of the last minute. */
  rate(): number {
    return this.#tally.rate();
  }

  /** How long the rest takes, ms, between the two; null where nothing is known. */
  left(): readonly [number, number] | null {
    return this.isRun ? this.#tally.left(this.total - this.done, this.run!.about.slots) : null;
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
    const hosts = [...(await readClusters(this.#deps, { ...this.#queue, name })).values()];
    const machines = tellApart(hosts.map(machineOf));
    this.#cluster = hosts.map(({ id, status, max_jobs_allowed }, i) => ({
      id,
      machine: machineText(machines[i]!),
      slots: max_jobs_allowed,
      status,
    }));
  }
}

/** How a job that is over ended, in a word or two. */
export function endText(job: Job): string {
  return isFailed(job) ? endReason(job) : "ended well";
}
