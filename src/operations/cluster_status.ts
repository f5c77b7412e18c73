/**
 * `cluster status`: the slots of a cluster's hosts, and what runs in them, of all queues beside the cluster.
 *
 * @module
 */

import { type Host, machineOf } from "../cluster/host.ts";
import { type Machine, machineKey, machineOfJob, machineText, tellApart } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import type { Job } from "../job/job.ts";
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
  readonly jobs: readonly HostJob[];
}

/** The hosts in file order. @throws {CmsError} `not_found` if there is no such cluster. */
export async function clusterStatus(deps: Deps, { cluster }: { cluster: StoreRef }): Promise<HostStatus[]> {
  const hosts = [...(await readCluster(deps, cluster)).values()];
  const places = new Places(hosts);
  const links = new Map<string, "up" | "down">();
  for (const name of await listNames(deps, cluster.directory, "queue")) {
    const queue = { ...cluster, name };
    const [jobs, run] = await Promise.all([
      readJobs(deps, queue).catch(() => new Map<never, Job>()),
      readLastRun(deps, storePaths(queue, "queue")),
    ]);
    if (run?.isRunning === true) {
      for (const [machine, state] of Object.entries(run.about.machines)) links.set(machine, state);
    }
    const isOurs = run?.about.cluster === cluster.name;
    for (const job of jobs.values()) if (isInFlight(job.status)) places.put(name, job, isOurs);
  }
  return hosts.map((host, i) => {
    const machine = machineText(places.machines[i]!);
    return {
      id: host.id,
      machine,
      status: host.status,
      slots: host.max_jobs_allowed,
      link: links.get(machine) ?? null,
      jobs: places.jobs[i]!,
    };
  });
}

/** Which host a job counts to: the one whose slot it has; else the first of its machine that has room, or the first. */
class Places {
  readonly machines: readonly Machine[];
  readonly jobs: HostJob[][];
  readonly #hosts: readonly Host[];
  readonly #ofMachine = new Map<string, number[]>();

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts;
    this.machines = tellApart(hosts.map(machineOf));
    this.jobs = hosts.map(() => []);
    this.machines.forEach((machine, i) => {
      const key = machineKey(machine);
      this.#ofMachine.set(key, [...this.#ofMachine.get(key) ?? [], i]);
    });
  }

  put(queue: string, job: Job, isOurs: boolean): void {
    const machine = machineOfJob(job);
    const there = machine === null ? [] : this.#ofMachine.get(machineKey(machine)) ?? [];
    const own = isOurs ? there.find((at) => this.#hosts[at]!.id === job.slot) : undefined;
    const at = own ?? there.find((at) => this.jobs[at]!.length < this.#hosts[at]!.max_jobs_allowed) ?? there[0];
    if (at === undefined) return;
    const startedMs = job.status === "start" && job.started !== null ? Date.parse(job.started) : null;
    this.jobs[at]!.push({ queue, job: job.name, startedMs });
  }
}
