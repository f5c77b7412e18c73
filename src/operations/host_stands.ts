/**
 * How hosts stand to a job that waits: out of work, silent, full, without what the job needs, or free. Pure.
 *
 * @module
 */

import { type Host, machineOf } from "../cluster/host.ts";
import { isSlurm, slurmOf } from "../cluster/slurm_entry.ts";
import { machineText, tellApart } from "../cluster/machine.ts";
import { type Job, placeOf } from "../job/job.ts";
import { NEED_NAMES, type Needs, needsOf, needText, WHOLE_GPU } from "../job/needs.ts";
import { parseDuration, parseSize, renderBytes, renderDuration } from "../names/units.ts";
import { HAS_NOTHING, type HostHas } from "../scheduler/resources.ts";
import type { RunAbout } from "../store/run_status.ts";
import { resourcesOf } from "./run_hosts.ts";
import { usedSlots } from "./used_slots.ts";

/** How a host stands to jobs that wait. */
export interface HostStand {
  readonly host: string;
  readonly stand: string;
}

/** What is known of a run. */
export interface StandsView {
  readonly about: Pick<RunAbout, "machines" | "since" | "again" | "allocations">;
  readonly inFlight: readonly Job[];
  /** Epoch ms. */
  readonly nowMs: number;
}

/** The machines of a run without a cluster. */
export function machineStands({ about, inFlight, nowMs }: StandsView): HostStand[] {
  return Object.keys(about.machines).map((machine) => {
    const running = inFlight.filter((job) => placeOf(job) === machine).length;
    const silent = silence(about, machine, nowMs);
    const stand = silent !== null
      ? silent + tries(about, machine, nowMs)
      : `runs ${running} ${running === 1 ? "job" : "jobs"}`;
    return { host: machine, stand };
  });
}

/** The hosts of a cluster. @param job The job that waits; null for any that needs a slot. */
export function hostStands(
  hosts: readonly Host[],
  { about, inFlight, nowMs }: StandsView,
  job: Job | null,
): HostStand[] {
  const machines = tellApart(hosts.map(machineOf)).map(machineText);
  return hosts.map((host, i): HostStand => {
    const machine = machines[i]!;
    if (host.status !== "active") return { host: host.id, stand: host.status === "paused" ? "paused" : "inactive" };
    if (isSlurm(host)) {
      const stand = allocationsText(about.allocations?.find(({ entry }) => entry === host.id));
      const lack = job === null ? null : allocationLack(job, host);
      return { host: host.id, stand: lack === null ? stand : `${lack}; ${stand}` };
    }
    const silent = silence(about, machine, nowMs);
    if (silent !== null) return { host: host.id, stand: `${silent}${tries(about, machine, nowMs)} (${machine})` };
    const here = inFlight.filter((one) => one.slot === host.id);
    const there = inFlight.filter((one) => placeOf(one) === machine);
    const slots = host.max_jobs_allowed;
    const used = usedSlots(here, slots);
    const lack = job === null ? null : lackOn(job, { free: slots - used, has: resourcesOf(host).has, here, there });
    const stand = used >= slots ? `full (${used} of ${slots})` : `free (${used} of ${slots} in use)`;
    return { host: host.id, stand: lack ?? stand };
  });
}

/** How the allocations of an entry stand: `2 allocations run, 1 is pending (Resources)`. */
function allocationsText(stand: NonNullable<RunAbout["allocations"]>[number] | undefined): string {
  const { running, pending, reason } = stand ?? { running: 0, pending: 0, reason: null };
  if (running + pending === 0) return `no allocation${reason === null ? ", none is asked for" : `: ${reason}`}`;
  const runs = `${running} allocation${running === 1 ? " runs" : "s run"}`;
  if (pending === 0) return runs;
  return `${runs}, ${pending} pending${reason === null ? "" : ` (${reason})`}`;
}

/** `silent for 3m`; null for a machine that answers. */
function silence({ machines, since }: StandsView["about"], machine: string, nowMs: number): string | null {
  if (machines[machine] !== "down") return null;
  const sinceMs = since?.[machine];
  if (sinceMs === undefined) return "does not answer";
  return `silent for ${renderDuration(Math.max(0, Math.floor((nowMs - sinceMs) / 1000)) * 1000)}`;
}

/** `needs 4 GPUs, an allocation has 2`: what no allocation of the entry can give the job; null if one can hold it. */
function allocationLack(job: Job, host: Host): string | null {
  const { gpus, cpus, memory, time } = slurmOf(host)!;
  if (typeof job.time_limit === "string" && parseDuration(job.time_limit) > parseDuration(time)) {
    return `has a time limit of ${job.time_limit}, an allocation lasts ${time}`;
  }
  const needs = needsOf(job);
  const has = { gpus, cpus, memory: memory === null ? 0 : parseSize(memory), slots: host.max_jobs_allowed };
  for (const name of needs === null ? [] : NEED_NAMES) {
    const need = name === "gpus" && needs!.gpuPart > 0 ? 1 : needs![name];
    if (need <= has[name]) continue;
    return `needs ${needText(job, name)}, an allocation has ${name === "memory" ? memory ?? "none" : has[name]}`;
  }
  return null;
}

/** `, tried again in 12s`; what is due is being tried. */
function tries({ again }: StandsView["about"], machine: string, nowMs: number): string {
  const atMs = again?.[machine];
  if (atMs === undefined) return "";
  return atMs <= nowMs
    ? ", is being tried"
    : `, tried again in ${renderDuration(Math.ceil((atMs - nowMs) / 1000) * 1000)}`;
}

/** `needs 2 GPUs, 1 free`: the first need that a host cannot meet now; null if it can meet all. */
function lackOn(
  job: Job,
  { free, has = HAS_NOTHING, here, there }: {
    free: number;
    has: HostHas | undefined;
    here: readonly Job[];
    there: readonly Job[];
  },
): string | null {
  const needs = needsOf(job);
  if (needs === null) return null;
  const held = here.flatMap((one) => needsOf(one) ?? []);
  const rest = (name: "cpus" | "memory"): number => has[name] - held.reduce((sum, one) => sum + one[name], 0);
  const left = {
    gpus: freeDevices(has, there, needs),
    cpus: rest("cpus"),
    memory: rest("memory"),
    slots: free,
  };
  for (const name of NEED_NAMES) {
    const need = name === "gpus" ? Math.max(needs.gpus, needs.gpuPart > 0 ? 1 : 0) : needs[name];
    if (need <= left[name] || (name === "slots" && need === 1)) continue;
    const rest = Math.max(0, left[name]);
    return `needs ${needText(job, name)}, ${name === "memory" ? renderBytes(rest) : rest} free`;
  }
  return null;
}

/** Devices on which the job would find what it needs of one. */
function freeDevices({ devices }: HostHas, there: readonly Job[], { gpuPart }: Needs): number {
  const used = new Map<number, number>();
  for (const job of there) {
    const part = needsOf(job)?.gpuPart ?? 0;
    for (const id of job.devices ?? []) used.set(id, (used.get(id) ?? 0) + (part > 0 ? part : WHOLE_GPU));
  }
  const need = gpuPart > 0 ? gpuPart : WHOLE_GPU;
  return (devices?.ids ?? []).filter((id) => (used.get(id) ?? 0) + need <= WHOLE_GPU).length;
}
