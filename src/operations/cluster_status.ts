/**
 * `cluster status`: the slots of a cluster's hosts, and what runs in them, of all queues beside the cluster.
 *
 * @module
 */

import { parseDevices } from "../cluster/devices.ts";
import { type Host, machineOf } from "../cluster/host.ts";
import { type Machine, machineKey, machineOfJob, machineText, parseMachine, tellApart } from "../cluster/machine.ts";
import { isSlurm } from "../cluster/slurm_entry.ts";
import { isNodeName, placeOf as slurmPlaceOf } from "../cluster/slurm_place.ts";
import type { Deps } from "../deps.ts";
import { type Job, placeOf } from "../job/job.ts";
import { isFailed } from "../job/outcome.ts";
import { isInFlight } from "../job/states.ts";
import { readCluster } from "../store/cluster_file.ts";
import { listNames } from "../store/queue_file.ts";
import { storePaths } from "../store/paths.ts";
import { liveJobs } from "../store/read_jobs.ts";
import { Rests } from "../store/rests.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { RunAbout } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import { hostStands, type StandsView } from "./host_stands.ts";
import { usedSlots } from "./used_slots.ts";

/** A job that is in flight on a host. */
export interface HostJob {
  readonly queue: string;
  readonly job: string;
  /** Since when it runs, epoch ms; null until its host has said that it does. */
  readonly startedMs: number | null;
}

/** A node of an allocation. */
export interface NodeStatus {
  readonly machine: string;
  /** What a run says of it; null where none does. */
  readonly link: "up" | "down" | null;
  readonly linkSinceMs: number | null;
  readonly jobs: readonly HostJob[];
}

/** A host with its slots. */
export interface HostStatus {
  readonly id: string;
  readonly machine: string;
  readonly status: string;
  /** Jobs that it may run at once; of an entry of Slurm, those of all its nodes. */
  readonly slots: number;
  /** Slots in use. */
  readonly used: number;
  /** What a run says of its machine now; null where no run uses it. */
  readonly link: "up" | "down" | null;
  /** Since when, epoch ms; null where that is not known. */
  readonly linkSinceMs: number | null;
  /** Of an entry of Slurm, its allocations; null for a host, and where no run uses it. */
  readonly allocations: { readonly running: number; readonly pending: number; readonly reason: string | null } | null;
  /** Of an entry of Slurm, the nodes of its allocations, each with so many slots. */
  readonly nodes: readonly NodeStatus[];
  /** How it stands to jobs that wait, in words, as the run on this cluster sees it; null where there is none. */
  readonly stand: string | null;
  readonly jobs: readonly HostJob[];
  /** Its GPU devices, each with the jobs that have it. */
  readonly gpus: readonly { readonly device: number; readonly jobs: readonly string[] }[];
  /** What has ended there in the last hour. */
  readonly lastHour: { readonly ended: number; readonly failed: number };
}

const HOUR_MS = 3_600_000;
/** Jobs that are looked at between two rests. */
const AT_ONCE = 1_000;

/** The hosts in file order. @throws {CmsError} `not_found` if there is no such cluster. */
export async function clusterStatus(deps: Deps, { cluster }: { cluster: StoreRef }): Promise<HostStatus[]> {
  const hosts = [...(await readCluster(deps, cluster)).values()];
  const places = new Places(hosts);
  const runs = new Runs();
  const rests = new Rests(deps.clock);
  const hourAgo = new Date(deps.clock.epochMs() - HOUR_MS).toISOString();
  for (const name of await listNames(deps, cluster.directory, "queue")) {
    const queue = { ...cluster, name };
    const run = await readLastRun(deps, storePaths(queue, "queue"));
    const jobs = [...(await liveJobs(deps, queue).catch(() => new Map<never, Job>())).values()];
    const used = run?.about.cluster?.split(",") ?? [];
    const isOurs = used.includes(cluster.name);
    // In a run on several clusters a machine may be a host of two of them: the slot says which host a job is on.
    const isHere = ({ slot }: Job) => hosts.some(({ id }) => slot === id || slot?.startsWith(`${id}.`) === true);
    const inFlight: Job[] = [];
    for (let i = 0; i < jobs.length; i++) {
      const job = jobs[i]!;
      if (i % AT_ONCE === 0) await rests.take();
      if (isInFlight(job.status)) {
        if (isOurs && used.length > 1 && !isHere(job)) continue;
        places.put(name, job, isOurs);
        inFlight.push(job);
      } else if (job.ended !== null && job.ended >= hourAgo) places.ended(job, isOurs);
    }
    if (run?.isRunning !== true) continue;
    runs.take(run.about);
    if (isOurs) runs.takeOurs(hosts, { about: run.about, inFlight, nowMs: deps.clock.epochMs() });
  }
  for (const machine of runs.links.keys()) places.meet(machine);
  return hosts.map((host, i) => ({
    ...places.of(i, runs),
    id: host.id,
    status: host.status,
    allocations: runs.allocations.get(host.id) ?? null,
    stand: runs.stands.get(host.id) ?? null,
  }));
}

/** What runs that go on say of machines, by their names, and of hosts, by their ids. */
class Runs {
  readonly links = new Map<string, "up" | "down">();
  readonly since = new Map<string, number>();
  readonly stands = new Map<string, string>();
  readonly allocations = new Map<string, NonNullable<HostStatus["allocations"]>>();

  take({ machines, since }: RunAbout): void {
    for (const [machine, state] of Object.entries(machines)) this.links.set(machine, state);
    for (const [machine, ms] of Object.entries(since ?? {})) this.since.set(machine, ms);
  }

  /** Of a run on these hosts. */
  takeOurs(hosts: readonly Host[], view: StandsView): void {
    for (const { entry, running, pending, reason } of view.about.allocations ?? []) {
      this.allocations.set(entry, { running, pending, reason });
    }
    for (const { host, stand } of hostStands(hosts, view, null)) this.stands.set(host, stand);
  }

  linkOf(machine: string): Pick<NodeStatus, "link" | "linkSinceMs"> {
    return { link: this.links.get(machine) ?? null, linkSinceMs: this.since.get(machine) ?? null };
  }
}

/** Which host a job counts to: the one whose slot it has; else the first of its machine that has room, or the first. */
class Places {
  readonly machines: readonly Machine[];
  readonly jobs: HostJob[][];
  readonly inFlight: Job[][];
  /** Jobs by device. */
  readonly held: Map<number, string[]>[];
  readonly lastHours: { ended: number; failed: number }[];
  /** Of each entry of Slurm: jobs by node. */
  readonly nodes: Map<string, HostJob[]>[];
  readonly #hosts: readonly Host[];
  readonly #ofMachine = new Map<string, number[]>();
  readonly #ofJob = new Map<string, readonly number[]>();

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts;
    this.machines = tellApart(hosts.map(machineOf));
    this.jobs = hosts.map(() => []);
    this.inFlight = hosts.map(() => []);
    this.held = hosts.map(() => new Map());
    this.nodes = hosts.map(() => new Map());
    this.lastHours = hosts.map(() => ({ ended: 0, failed: 0 }));
    this.machines.forEach((machine, i) => {
      const key = machineKey(machine);
      this.#ofMachine.set(key, [...this.#ofMachine.get(key) ?? [], i]);
    });
  }

  /** What is known of a host. */
  of(i: number, runs: Runs): Omit<HostStatus, "id" | "status" | "allocations" | "stand"> {
    const host = this.#hosts[i]!;
    const machine = machineText(this.machines[i]!);
    const nodes = [...this.nodes[i]!].map(([machine, jobs]): NodeStatus => ({
      machine,
      ...runs.linkOf(machine),
      jobs,
    }));
    const slots = host.max_jobs_allowed * (isSlurm(host) ? nodes.length : 1);
    return {
      machine,
      ...runs.linkOf(machine),
      slots,
      used: usedSlots(this.inFlight[i]!, slots),
      nodes,
      jobs: this.jobs[i]!,
      gpus: devicesOf(host, this.held[i]!),
      lastHour: this.lastHours[i]!,
    };
  }

  put(queue: string, job: Job, isOurs: boolean): void {
    const { there, own } = this.#of(job, isOurs);
    const at = own ?? there.find((at) => this.jobs[at]!.length < this.#hosts[at]!.max_jobs_allowed) ?? there[0];
    if (at === undefined) return;
    const startedMs = job.status === "start" && job.started !== null ? Date.parse(job.started) : null;
    const here = { queue, job: job.name, startedMs };
    this.jobs[at]!.push(here);
    this.inFlight[at]!.push(job);
    if (isSlurm(this.#hosts[at]!)) {
      const node = placeOf(job) ?? "";
      this.nodes[at]!.set(node, [...this.nodes[at]!.get(node) ?? [], here]);
    }
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

  /** Notes a machine of a run: it may be a node on which nothing runs. */
  meet(machine: string): void {
    if (!isNodeName(machine) || this.nodes.some((known) => known.has(machine))) return;
    const [at] = this.#entriesOf(parseMachine(machine));
    if (at !== undefined) this.nodes[at]!.set(machine, []);
  }

  /** The hosts that a machine belongs to: of a node the entries of Slurm on its login host. */
  #entriesOf(machine: Machine): readonly number[] {
    const place = slurmPlaceOf(machine);
    const those = this.#ofMachine.get(machineKey(place?.login ?? machine)) ?? [];
    return those.filter((at) => isSlurm(this.#hosts[at]!) === (place !== null));
  }

  #of(job: Job, isOurs: boolean): { there: readonly number[]; own: number | undefined } {
    // Many jobs ran on few machines.
    const text = `${job.user}@${job.host}`;
    let there = this.#ofJob.get(text);
    if (there === undefined) {
      const machine = machineOfJob(job);
      there = machine === null ? [] : this.#entriesOf(machine);
      this.#ofJob.set(text, there);
    }
    const isOwn = (id: string): boolean => job.slot === id || job.slot?.startsWith(`${id}.`) === true;
    return { there, own: isOurs ? there.find((at) => isOwn(this.#hosts[at]!.id)) : undefined };
  }
}

function devicesOf({ gpus }: Host, held: ReadonlyMap<number, readonly string[]>): HostStatus["gpus"] {
  if (gpus === null || gpus === undefined) return [];
  return parseDevices(gpus).ids.map((device) => ({ device, jobs: held.get(device) ?? [] }));
}
