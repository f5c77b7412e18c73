/**
 * `cluster drain`: keeps new jobs off hosts and waits until those that run there are over.
 *
 * @module
 */

import type { Host } from "../cluster/host.ts";
import type { Deps } from "../deps.ts";
import { isGivenUp, type Job, placeOf } from "../job/job.ts";
import { isInFlight } from "../job/states.ts";
import { expand } from "../names/expand.ts";
import { type HostId, hostId, type JobName } from "../names/grammar.ts";
import { someNames } from "../names/some_names.ts";
import type { Connect } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import { readCluster } from "../store/cluster_file.ts";
import { storePaths } from "../store/paths.ts";
import { listNames } from "../store/queue_file.ts";
import { readRunner } from "../store/run_claim.ts";
import type { Runner } from "../store/run_status.ts";
import type { Hosts, StoreRef } from "../store/store.ts";
import { killJobs } from "./kill_jobs.ts";
import { listJobs } from "./list_jobs.ts";
import { refreshQueue } from "./refresh_queue.ts";
import { requireHosts } from "./set_host_field.ts";
import { setHostStatus } from "./set_host_status.ts";

/** What {@link drainHosts} takes. */
export interface DrainRequest {
  readonly cluster: StoreRef;
  /** An expandable list. */
  readonly id: string;
  /** Jobs that still run after so many milliseconds are killed; null: none is. */
  readonly killAfterMs: number | null;
  /** Milliseconds; null for as long as it takes. */
  readonly timeoutMs: number | null;
}

/** A job that is on one of the hosts. */
export interface HostJob {
  readonly queue: string;
  readonly job: JobName;
  /** `user@name`. */
  readonly machine: string;
}

/** How the waiting ended. `failed`: jobs that were to be killed may still run. */
export interface DrainResult {
  readonly outcome: "drained" | "timeout" | "interrupted" | "failed";
  readonly hosts: readonly HostId[];
  /** Jobs that are not over. */
  readonly running: readonly HostJob[];
  readonly killed: readonly HostJob[];
}

/** Who watches. */
export interface DrainWatch {
  readonly stop: AbortSignal;
  warn(text: string): void;
  /** The jobs that are waited for are others now. */
  onRunning(running: readonly HostJob[]): void;
}

/** How whoever must not hold a queue twice at once does what holds it. */
export type InTurn = <T>(queue: StoreRef, work: () => Promise<T>) => Promise<T>;

const LOOK_MS = 300;
/** Looking takes at most one part in this many of the time. */
const LOOK_SHARE = 10;
/** How often hosts are asked about jobs of a queue that no run follows. */
const ASK_MS = 5_000;

/**
 * Deactivates the hosts, and returns when no job of a queue of their experiment runs there and no run will start one.
 * @throws {InvalidError} If the list cannot be expanded.
 * @throws {CmsError} `not_found` if the cluster or any of the ids does not exist; nothing is changed then.
 */
export async function drainHosts(
  deps: Deps,
  request: DrainRequest,
  watch: DrainWatch,
  connect: Connect = makeConnect(deps),
  inTurn: InTurn = (_queue, work) => work(),
): Promise<DrainResult> {
  const ids = [...new Set(expand(request.id).map(hostId))];
  requireHosts(await readCluster(deps, request.cluster), ids, request.cluster);
  await setHostStatus(deps, { cluster: request.cluster, id: request.id, status: "inactive" });
  return await new Drain(deps, { ...request, ids, connect, inTurn }, watch).wait();
}

interface DrainParts extends DrainRequest {
  readonly ids: readonly HostId[];
  readonly connect: Connect;
  readonly inTurn: InTurn;
}

/** What a look has found. */
interface Look {
  /** By queue. */
  readonly jobs: ReadonlyMap<StoreRef, readonly Job[]>;
  /** A run has not yet taken notice of the file of hosts as it is now. */
  readonly isLate: boolean;
}

class Drain {
  readonly #deps: Deps;
  readonly #parts: DrainParts;
  readonly #watch: DrainWatch;
  readonly #killed: HostJob[] = [];
  readonly #warned = new Set<string>();
  #shown = "";
  #askAtMs = 0;

  constructor(deps: Deps, parts: DrainParts, watch: DrainWatch) {
    this.#deps = deps;
    this.#parts = parts;
    this.#watch = watch;
  }

  async wait(): Promise<DrainResult> {
    const { clock } = this.#deps;
    const { timeoutMs, killAfterMs, ids: hosts } = this.#parts;
    const beganMs = clock.now();
    const endMs = beganMs + (timeoutMs ?? Infinity);
    const killMs = beganMs + (killAfterMs ?? Infinity);
    for (;;) {
      const lookMs = clock.now();
      const { jobs, isLate } = await this.#look();
      const running = [...jobs].flatMap(([queue, own]) => own.map((job) => hostJob(queue, job)));
      const end = (outcome: DrainResult["outcome"]): DrainResult => ({
        outcome,
        hosts,
        running,
        killed: this.#killed,
      });
      if (running.length === 0 && !isLate) return end("drained");
      if (this.#watch.stop.aborted) return end("interrupted");
      if (running.length > 0 && clock.now() >= killMs) {
        if (await this.#kill(jobs)) continue;
        return end("failed");
      }
      if (clock.now() >= endMs) return end("timeout");
      this.#show(running);
      const pauseMs = Math.max(LOOK_MS, (clock.now() - lookMs) * LOOK_SHARE);
      await clock.sleepUntil(Math.min(clock.now() + pauseMs, endMs, killMs), this.#watch.stop);
    }
  }

  #show(running: readonly HostJob[]): void {
    const text = JSON.stringify(running);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#watch.onRunning(running);
  }

  async #look(): Promise<Look> {
    const { cluster, ids } = this.#parts;
    const file = `${cluster.directory}/${cluster.name}-cluster.yaml`;
    // Before the runs are asked what they know of it, and these before the jobs are read.
    const stamp = JSON.stringify(await this.#deps.files.stamp(file));
    const drained = new OnHosts(await readCluster(this.#deps, cluster), ids);
    const found = new Map<StoreRef, Job[]>();
    const isAsked = this.#deps.clock.now() >= this.#askAtMs;
    let isLate = false;
    for (const name of await listNames(this.#deps, cluster.directory, "queue")) {
      const queue: StoreRef = { experiment: cluster.experiment, directory: cluster.directory, name };
      const runner = await readRunner(this.#deps, storePaths(queue, "queue"));
      const at = runner?.about?.cluster?.split(",").indexOf(cluster.name) ?? -1;
      if (at >= 0 && runner?.about?.hosts?.split("\n")[at] !== stamp) isLate = true;
      const jobs = await this.#read(queue, drained);
      const running = jobs.filter(({ status }) => isInFlight(status));
      if (running.length > 0) found.set(queue, running);
      this.#warnOf(queue, jobs, runner);
      if (running.length > 0 && runner === null && isAsked) {
        this.#askAtMs = this.#deps.clock.now() + ASK_MS;
        const watch = { warn: (text: string) => this.#warn(text) };
        await this.#parts.inTurn(queue, () => refreshQueue(this.#deps, { queue }, watch, this.#parts.connect));
      }
    }
    return { jobs: found, isLate };
  }

  /** Jobs of a queue that run on the hosts, or may. One that is deleted meanwhile has none. */
  async #read(queue: StoreRef, drained: OnHosts): Promise<Job[]> {
    const keep = (job: Job): boolean => (isInFlight(job.status) || isGivenUp(job)) && drained.has(job);
    try {
      return await listJobs(this.#deps, { queue, keep });
    } catch (error) {
      this.#warn(`${(error as Error).message}; its jobs are not waited for`);
      return [];
    }
  }

  #warnOf(queue: StoreRef, jobs: readonly Job[], runner: Runner | null): void {
    const unknown = jobs.filter(isGivenUp).map(({ name }) => name);
    if (unknown.length > 0) {
      this.#warn(`May still run, as their host was silent: ${someNames(unknown)} of queue ${queue.name}`);
    }
    const own = runner?.about;
    if (
      jobs.length > unknown.length && own !== undefined &&
      own.cluster?.split(",").includes(this.#parts.cluster.name) !== true
    ) {
      this.#warn(
        `The run of queue ${queue.name} does not use cluster ${this.#parts.cluster.name}, and may start jobs there ` +
          `all the same: cms queue pause ${queue.name} keeps it from that`,
      );
    }
  }

  #warn(text: string): void {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#watch.warn(text);
  }

  /** Kills what still runs. @returns False if a job may still run. */
  async #kill(jobs: ReadonlyMap<StoreRef, readonly Job[]>): Promise<boolean> {
    let isDone = true;
    for (const [queue, own] of jobs) {
      const names = own.map(({ name }) => name);
      const watch = { warn: (text: string) => this.#warn(text) };
      const { killed, failed } = await this.#parts.inTurn(
        queue,
        () => killJobs(this.#deps, { queue, names }, watch, this.#parts.connect),
      );
      const places = new Map(own.map((job) => [job.name, hostJob(queue, job)]));
      this.#killed.push(...killed.map((name) => places.get(name)!));
      if (failed.length > 0) isDone = false;
    }
    return isDone;
  }
}

/** Which jobs are on some hosts of a cluster. */
class OnHosts {
  readonly #all: Hosts;
  readonly #ids: ReadonlySet<string>;
  readonly #chosen: readonly Host[];

  constructor(all: Hosts, ids: readonly HostId[]) {
    this.#all = all;
    this.#ids = new Set(ids);
    this.#chosen = ids.flatMap((id) => all.get(id) ?? []);
  }

  /** True if the job is on one of them: by its slot, or by its machine where no host of the cluster gave the slot. */
  has(job: Job): boolean {
    const giver = job.slot === null ? undefined : this.#all.get(job.slot as HostId);
    if (giver !== undefined && isThere(giver, job)) return this.#ids.has(giver.id);
    return this.#chosen.some((host) => isThere(host, job));
  }
}

function isThere(host: Host, job: Job): boolean {
  return host.user === job.user && (host.name === job.host || host.ip === job.host) && job.host !== null;
}

function hostJob(queue: StoreRef, job: Job): HostJob {
  return { queue: queue.name, job: job.name, machine: placeOf(job) ?? "" };
}
