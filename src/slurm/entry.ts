/**
 * An entry of kind `slurm` as the allocator sees it, and the hosts that come of it. Pure.
 *
 * @module
 */

import type { Machine } from "../cluster/machine.ts";
import { type SlurmFields, slurmOf } from "../cluster/slurm_entry.ts";
import { machineOfPlace } from "../cluster/slurm_place.ts";
import { type Host, machineOf } from "../cluster/host.ts";
import { parseDuration, parseSize } from "../names/units.ts";
import type { HostHas } from "../scheduler/resources.ts";
import type { SlotHost } from "../scheduler/slot_host.ts";

/** One entry. */
export interface Entry {
  readonly id: string;
  /** The host on which Slurm's commands are called. */
  readonly login: Machine;
  readonly fields: SlurmFields;
  readonly active: boolean;
  /** Slots of each node. */
  readonly slots: number;
  readonly pyenv: string;
  readonly env: Host["env"];
  readonly idleMs: number;
}

/** An entry of the cluster file that is of kind `slurm`, for the allocator. */
export function entryOf(host: Host): Entry {
  const fields = slurmOf(host)!;
  return {
    id: host.id,
    login: machineOf(host),
    fields,
    active: host.status === "active" && host.max_jobs_allowed > 0 && fields.allocations > 0,
    slots: host.max_jobs_allowed,
    pyenv: host.pyenv,
    env: host.env,
    idleMs: parseDuration(fields.idle),
  };
}

/** What is asked of Slurm: jobs that run at once on a node are to have a CPU each. */
export function fieldsOf({ fields, slots }: Entry): SlurmFields {
  return { ...fields, cpus: fields.cpus || slots };
}

/** How long an allocation lasts, ms. */
export function lengthOf({ fields }: Entry): number {
  return parseDuration(fields.time);
}

/** Slots that an allocation brings. */
export function slotsOf({ fields, slots }: Entry): number {
  const all = fields.nodes * slots;
  return fields.jobsPerAllocation > 0 ? Math.min(all, fields.jobsPerAllocation) : all;
}

/** The machine that a node of an allocation of the entry is. */
export function machineOfEntry({ login, fields: { link } }: Entry, place: { node: string; job: string }): Machine {
  return machineOfPlace({ ...place, login, link });
}

/** The host that stands for those to come. */
export function templateOf(entry: Entry, isOpen: boolean): SlotHost {
  const machine = machineOfEntry(entry, { node: "node", job: "0" });
  const active = entry.active && isOpen;
  const time = { lengthMs: lengthOf(entry), untilMs: Infinity };
  return { ...common(entry), id: entry.id, machine, active, time, isToCome: true };
}

/** A node of an allocation as a host. */
export function nodeHost(
  entry: Entry,
  { job, node, untilMs, isActive }: { job: string; node: string; untilMs: number; isActive: boolean },
): SlotHost {
  const machine = machineOfEntry(entry, { node, job });
  const time = { lengthMs: lengthOf(entry), untilMs };
  return { ...common(entry), id: `${entry.id}.${job}.${node}`, machine, active: isActive, time };
}

/** All hosts that an entry may bring at once, as if they were there for ever. */
export function mostHosts(entry: Entry): SlotHost[] {
  return Array.from({ length: entry.fields.allocations * entry.fields.nodes }, (_, i) => ({
    ...common(entry),
    id: `${entry.id}.${i + 1}`,
    machine: machineOfEntry(entry, { node: `node${i + 1}`, job: "0" }),
    active: entry.active,
  }));
}

function common(entry: Entry): Pick<SlotHost, "capacity" | "gpu" | "pyenv" | "env" | "has" | "jobs"> {
  const { gpus, cpus, memory, jobsPerAllocation, nodes } = entry.fields;
  const has: HostHas = {
    devices: gpus === 0 ? null : { vendor: "nvidia", ids: Array.from({ length: gpus }, (_, i) => i) },
    cpus,
    memory: memory === null ? 0 : parseSize(memory),
  };
  return {
    capacity: entry.slots,
    gpu: "",
    pyenv: entry.pyenv,
    ...(entry.env === undefined || entry.env === null ? {} : { env: entry.env }),
    ...(gpus + cpus === 0 && memory === null ? {} : { has }),
    ...(jobsPerAllocation === 0 ? {} : { jobs: Math.max(1, Math.floor(jobsPerAllocation / nodes)) }),
  };
}
