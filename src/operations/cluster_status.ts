/**
 * `cluster status`: the slots of a cluster's hosts, and what runs in them, of all queues beside the cluster.
 *
 * @module
 */

import { parseDevices } from "../cluster/devices.ts";
import { type Host, machineOf } from "../cluster/host.ts";
import { type Machine, machineKey, machineOfJob, machineText, tellApart } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import type { Job } from "../job/job.ts";
import { isFailed } from "../job/outcome.ts";
import { isInFlight } from "../job/states.ts";
import { readCluster } from "../store/cluster_file.ts";
import { listNames } from "../store/queue_file.ts";
import { storePaths } from "../store/paths.ts";
import { readJobs } from "../store/read_jobs.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { StoreRef } from "../store/store.ts";

/** A job that is in flight on a host. */
export interface HostJob {
  readonly queue: string;
  readonly job: string;
  /** Since when it runs, epoch ms; null until its host has said that it does. */
  readonly startedMs: number | null;
}

/** A host with its slots. */
export interface HostStatus {
  readonly id: string;
  readonly machine: string;
  readonly status: string;
  /** Jobs that it may run at once. */
  readonly slots: number;
  /** What a run says of its machine now; null where no run uses it. */
  readonly link: "up" | "down" | null;
  /** Since when, epoch ms; null where that is not known. */
  readonly linkSinceMs: number | null;
  readonly jobs: readonly HostJob[];
  /** Its GPU devices, each with the jobs that have it. */
  readonly gpus: readonly { readonly device: number; readonly jobs: readonly string[] }[];
  /** What has ended there in the last hour. */
  readonly lastHour: { readonly ended: number; readonly failed: number };
}

const HOUR_MS = 3_600_000;

/** The hosts in file order. @throws {CmsError} `not_found` if there is no such cluster. */
export async function clusterStatus(deps: Deps, { cluster }: { cluster: StoreRef }): Promise<HostStatus[]> {
  const hosts = [...(await readCluster(deps, cluster)).values()];
  const places = new Places(hosts);
  const links = new Map<string, "up" | "down">();
  const since = new Map<string, number>();
  const hourAgo = new Date(deps.clock.epochMs() - HOUR_MS).toISOString();
  for (const name of await listNames(deps, cluster.directory, "queue")) {
    const queue = { ...cluster, name };
    const [jobs, run] = await Promise.all([
      readJobs(deps, queue).catch(() => new Map<never, Job>()),
      readLastRun(deps, storePaths(queue, "queue")),
    ]);
    if (run?.isRunning === true) {
      for (const [machine, state] of Object.entries(run.about.machines)) links.set(machine, state);
      for (const [machine, ms] of Object.entries(run.about.since ?? {})) since.set(machine, ms);
    }
    const isOurs = run?.about.cluster === cluster.name;
    for (const job of jobs.values()) {
      if (isInFlight(job.status)) places.put(name, job, isOurs);
      else if (job.ended !== null && job.ended >= hourAgo) places.ended(job, isOurs);
    }
  }
  return hosts.map((host, i) => {
    const machine = machineText(places.machines[i]!);
    return {
      id: host.id,
      machine,
      status: host.status,
      slots: host.max_jobs_allowed,
      link: links.get(machine) ?? null,
      linkSinceMs: since.get(machine) ?? null,
      jobs: places.jobs[i]!,
      gpus: devicesOf(host, places.held[i]!),
      lastHour: places.lastHours[i]!,
    };
  });
}

/** Which host a job counts to: the one whose slot it has; else the first of its machine that has room, or the first. */
class Places {
  readonly machines: readonly Machine[];
  readonly jobs: HostJob[][];
  /** Jobs by device. */
  readonly held: Map<number, string[]>[];
  readonly lastHours: { ended: number; failed: number }[];
  readonly #hosts: readonly Host[];
  readonly #ofMachine = new Map<string, number[]>();

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts;
    this.machines = tellApart(hosts.map(machineOf));
    this.jobs = hosts.map(() => []);
    this.held = hosts.map(() => new Map());
    this.lastHours = hosts.map(() => ({ ended: 0, failed: 0 }));
    this.machines.forEach((machine, i) => {
      const key = machineKey(machine);
      this.#ofMachine.set(key, [...this.#ofMachine.get(key) ?? [], i]);
    });
  }

  put(queue: string, job: Job, isOurs: boolean): void {
    const { there, own } = this.#of(job, isOurs);
    const at = own ?? there.find((at) => this.jobs[at]!.length < this.#hosts[at]!.max_jobs_allowed) ?? there[0];
    if (at === undefined) return;
    const startedMs = job.status === "start" && job.started !== null ? Date.parse(job.started) : null;
    this.jobs[at]!.push({ queue, job: job.name, startedMs });
    const held = this.held[at]!;
    for (const device of job.devices ?? []) held.set(device, [...held.get(device) ?? [], job.name]);
  }

  /** Counts a job that has ended in the last hour. */
  ended(job: Job, isOurs: boolean): void {
    const { there, own } = this.#of(job, isOurs);
    const hour = this.lastHours[own ?? there[0] ?? -1];
    if (hour === undefined) return;
    hour.ended++;
    if (isFailed(job)) hour.failed++;
  }

  #of(job: Job, isOurs: boolean): { there: readonly number[]; own: number | undefined } {
    const machine = machineOfJob(job);
    const there = machine === null ? [] : this.#ofMachine.get(machineKey(machine)) ?? [];
    return { there, own: isOurs ? there.find((at) => this.#hosts[at]!.id === job.slot) : undefined };
  }
}

function devicesOf({ gpus }: Host, held: ReadonlyMap<number, readonly string[]>): HostStatus["gpus"] {
  if (gpus === null || gpus === undefined) return [];
  return parseDevices(gpus).ids.map((device) => ({ device, jobs: held.get(device) ?? [] }));
}
