/**
 * Who holds what of the GPUs, CPUs and memory of a run's hosts. Slots are counted in `slots.ts`. Pure.
 *
 * CPUs and memory belong to the entry that names them. A device belongs to its machine: several entries may name it,
 * and it is one job's all the same, or several jobs' that need a part of it.
 *
 * @module
 */

import type { Devices } from "../cluster/devices.ts";
import { type Machine, machineKey } from "../cluster/machine.ts";
import { NEED_NAMES, type Needs, needsOf, needsText, needText, WHOLE_GPU } from "../job/needs.ts";
import type { JobOptions } from "../job/options.ts";
import type { JobName } from "../names/grammar.ts";
import { renderDuration } from "../names/units.ts";

/** What a host has to give besides slots. */
export interface HostHas {
  /** null: none. */
  readonly devices: Devices | null;
  /** Devices that somebody else uses are not given: the host is asked before. */
  readonly isIdleOnly?: true;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
}

/** How long a host is there. */
export interface HostTime {
  /** From its begin to its end, ms. */
  readonly lengthMs: number;
  /** When it ends, by the clock of the run; Infinity for one to come. */
  readonly untilMs: number;
}

/** A host as far as it matters here. */
interface GivingHost {
  readonly id: string;
  readonly machine: Machine;
  readonly capacity: number;
  readonly active: boolean;
  readonly has?: HostHas;
  readonly time?: HostTime;
}

/** What a host has that says nothing of it. */
export const HAS_NOTHING: HostHas = { devices: null, cpus: 0, memory: 0 };

/** What a job holds. */
export interface Holding {
  readonly host: string;
  /** Key of the machine whose devices they are. */
  readonly machine: string;
  readonly needs: Needs;
  readonly devices: readonly number[];
}

/** True if the host would have it all if nothing ran there. */
export function couldHold({ capacity, has = HAS_NOTHING, time }: GivingHost, needs: Needs): boolean {
  if (time !== undefined && needs.timeMs > time.lengthMs) return false;
  const devices = has.devices?.ids.length ?? 0;
  return needs.slots <= capacity && needs.gpus <= devices && (needs.gpuPart === 0 || devices > 0) &&
    needs.cpus <= has.cpus && needs.memory <= has.memory;
}

/**
 * Why no host could hold a job, in words: `no host has 4 GPUs`; `no allocation` where all hosts are nodes of those.
 * @param needs What it needs of these hosts.
 */
export function lackText(job: JobOptions, needs: Needs, hosts: readonly GivingHost[]): string {
  const active = hosts.filter((host) => host.active);
  const isSlurm = active.length > 0 && active.every(({ time }) => time !== undefined);
  if (!active.some(({ time }) => time === undefined || needs.timeMs <= time.lengthMs)) {
    return `no ${isSlurm ? "allocation" : "host"} has ${renderDuration(needs.timeMs)} for a job`;
  }
  const alone = NEED_NAMES.find((name) => {
    const needs = needsOf({ [name]: job[name] ?? null });
    return needs !== null && !active.some((host) => couldHold(host, needs));
  });
  const what = alone === undefined
    ? `${needsText(job)} ${needs.timeMs > 0 ? `for ${renderDuration(needs.timeMs)}` : "together"}`
    : needText(job, alone);
  const isInactive = hosts.some((host) => couldHold(host, needs));
  return `no ${isInactive ? "active host" : isSlurm ? "allocation" : "host"} has ${what}`;
}

/** The holdings of a run. */
export class Resources {
  /** In the order of their starts. */
  readonly #holdings = new Map<JobName, Holding>();
  readonly #byHost = new Map<string, { cpus: number; memory: number; jobs: number }>();
  /** Parts of each device in use, by machine. */
  readonly #parts = new Map<string, Map<number, number>>();

  /** What a job holds; undefined for one that needs no more than a slot, or has none. */
  of(job: JobName): Holding | undefined {
    return this.#holdings.get(job);
  }

  /** Jobs that hold devices of a machine, by device. */
  holders(machine: string): Map<number, JobName[]> {
    const holders = new Map<number, JobName[]>();
    for (const [job, holding] of this.#holdings) {
      if (holding.machine !== machine) continue;
      for (const id of holding.devices) holders.set(id, [...holders.get(id) ?? [], job]);
    }
    return holders;
  }

  /** True if a job that needs more than a slot has its place on this host. */
  isHeld(host: string): boolean {
    return (this.#byHost.get(host)?.jobs ?? 0) > 0;
  }

  /** Gives it to a job, whatever is left. */
  take(job: JobName, holding: Holding): void {
    this.#holdings.set(job, holding);
    this.#count(holding, 1);
  }

  /** Takes back what a job holds. */
  giveBack(job: JobName): void {
    const holding = this.#holdings.get(job);
    if (holding === undefined) return;
    this.#holdings.delete(job);
    this.#count(holding, -1);
  }

  /** A machine goes by another key of it. */
  rename(from: string, to: string): void {
    for (const [job, holding] of [...this.#holdings]) {
      if (holding.machine !== from) continue;
      this.giveBack(job);
      this.take(job, { ...holding, machine: to });
    }
  }

  /** The devices that a job would be given on a host now; null if CPUs, memory or devices do not suffice. */
  choose(host: GivingHost, needs: Needs): readonly number[] | null {
    const { devices, cpus, memory } = host.has ?? HAS_NOTHING;
    const used = this.#byHost.get(host.id);
    if (needs.cpus > cpus - (used?.cpus ?? 0) || needs.memory > memory - (used?.memory ?? 0)) return null;
    if (needs.gpus + needs.gpuPart === 0) return [];
    const parts = this.#parts.get(machineKey(host.machine));
    const partsOf = (id: number): number => parts?.get(id) ?? 0;
    const ids = devices?.ids ?? [];
    if (needs.gpus > 0) {
      const free = ids.filter((id) => partsOf(id) === 0).slice(0, needs.gpus);
      return free.length < needs.gpus ? null : free;
    }
    // The fullest with room: whole ones stay free for jobs that need them.
    let best: number | null = null;
    for (const id of ids) {
      const isBetter = best === null || partsOf(id) > partsOf(best);
      if (partsOf(id) + needs.gpuPart <= WHOLE_GPU && isBetter) best = id;
    }
    return best === null ? null : [best];
  }

  /**
   * How many of the jobs there must end before this one fits, those that were started first before the others: which
   * host will have room soonest, nobody knows. @param slots Free slots there now. @param others Jobs there that hold a
   * slot and nothing else.
   */
  endsUntilFit(host: GivingHost, needs: Needs, slots: number, others: number): number {
    const machine = machineKey(host.machine);
    const left = new Resources();
    const there: Holding[] = [];
    for (const [job, holding] of this.#holdings) {
      if (holding.machine !== machine) continue;
      there.push(holding);
      left.take(job, holding);
    }
    const jobs = [...left.#holdings.keys()];
    let free = slots;
    let ended = 0;
    for (const [i, holding] of there.entries()) {
      if (free >= needs.slots && left.choose(host, needs) !== null) return ended;
      left.giveBack(jobs[i]!);
      if (holding.host === host.id) free += holding.needs.slots;
      ended++;
    }
    return ended + Math.min(others, Math.max(0, needs.slots - free));
  }

  #count({ host, machine, needs, devices }: Holding, sign: 1 | -1): void {
    const used = this.#byHost.get(host) ?? { cpus: 0, memory: 0, jobs: 0 };
    this.#byHost.set(host, used);
    used.cpus += sign * needs.cpus;
    used.memory += sign * needs.memory;
    used.jobs += sign;
    if (devices.length === 0) return;
    const parts = this.#parts.get(machine) ?? new Map<number, number>();
    this.#parts.set(machine, parts);
    for (const id of devices) parts.set(id, (parts.get(id) ?? 0) + sign * (needs.gpuPart || WHOLE_GPU));
  }
}
