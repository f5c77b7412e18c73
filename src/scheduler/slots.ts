/**
 * The slots of a run: which hosts there are, how many jobs each may run, and who has a slot now. Pure.
 *
 * Two hosts that name the same machine are separate slots; a job gives back the very slot it took, so that two entries
 * with different GPUs on one machine never share one.
 *
 * @module
 */

import type { Environment } from "../names/environment.ts";
import type { JobName } from "../names/grammar.ts";
import { type Machine, machineKey } from "../cluster/machine.ts";

/** A host as a scheduler sees it. */
export interface SlotHost {
  /** Host id in its cluster; for `--hosts` the place in the list. Unique within a run. */
  readonly id: string;
  readonly machine: Machine;
  /** Jobs at once, a whole number from 0. */
  readonly capacity: number;
  /** False: gets no new jobs; what runs there goes on. */
  readonly active: boolean;
  /** `""` for none. */
  readonly gpu: string;
  readonly pyenv: string;
  /** Variables for all its jobs; missing for none. */
  readonly env?: Environment;
}

/** Who holds what. Hosts in the order in which they are offered. */
export class Slots {
  #hosts: readonly SlotHost[] = [];
  #places = new Map<string, number>();
  /**
   * One bit for each host, in order: it is active and has a free slot. A run of hundreds of hosts looks here at every
   * event.
   */
  #free = new Uint32Array(0);
  /**
   * No slot has become free since none was found: of thousands of hosts most may be on machines that are not up yet.
   */
  #isNoneFree = false;
  #capacity = 0;
  #onlyMachine: Machine | null = null;
  readonly #holders = new Map<JobName, string>();
  readonly #used = new Map<string, number>();
  /** Hosts that give no slot for the moment, see {@link Slots.close}. */
  readonly #closed = new Set<string>();
  /** Hosts that hold more jobs than they may, of earlier runs. */
  readonly #over = new Set<string>();

  constructor(hosts: readonly SlotHost[]) {
    this.setHosts(hosts);
  }

  get hosts(): readonly SlotHost[] {
    return this.#hosts;
  }

  /** The machine of all active hosts, if they share one. */
  get onlyMachine(): Machine | null {
    return this.#onlyMachine;
  }

  /** Replaces the list. Jobs keep their slots by host id; a slot of a host that is gone counts no more. */
  setHosts(hosts: readonly SlotHost[]): void {
    this.#hosts = hosts;
    this.#places = new Map(hosts.map(({ id }, i) => [id, i]));
    this.#capacity = hosts.reduce((sum, host) => sum + (host.active ? host.capacity : 0), 0);
    this.#free = new Uint32Array((hosts.length + 31) >>> 5);
    this.#isNoneFree = false;
    this.#over.clear();
    for (const { id } of hosts) this.#mark(id);
    const offered = hosts.filter((host) => host.active && host.capacity > 0).map((host) => host.machine);
    const [first] = offered;
    const isOnly = first !== undefined && offered.every((machine) => machineKey(machine) === machineKey(first));
    this.#onlyMachine = isOnly ? first : null;
  }

  /** The first active host with a free slot on a machine that `isUp`, or null. One that is `liked` goes before. */
  free(isUp: (machine: string) => boolean, liked: ((host: SlotHost) => boolean) | null = null): SlotHost | null {
    if (this.#isNoneFree) return null;
    let other: SlotHost | null = null;
    for (let word = 0; word < this.#free.length; word++) {
      for (let bits = this.#free[word]!; bits !== 0; bits &= bits - 1) {
        const host = this.#hosts[word * 32 + 31 - Math.clz32(bits & -bits)]!;
        if (!isUp(machineKey(host.machine))) continue;
        if (liked === null || liked(host)) return host;
        other ??= host;
      }
    }
    this.#isNoneFree = other === null;
    return other;
  }

  /** A machine is up now: its slots count. */
  machineUp(): void {
    this.#isNoneFree = false;
  }

  /** Jobs that may run at once on active hosts. */
  capacity(): number {
    return this.#capacity;
  }

  /** Free slots of a host; below 0 if it was given jobs of an earlier run beyond its capacity. */
  room(host: SlotHost): number {
    return host.active ? host.capacity - this.#count(host.id) : 0;
  }

  /** A host that is closed gives no slot until it is opened again; what holds one keeps it. */
  close(id: string, closed: boolean): void {
    if (closed) this.#closed.add(id);
    else this.#closed.delete(id);
    this.#mark(id);
  }

  /** True if it has a slot. */
  holds(job: JobName): boolean {
    return this.#holders.has(job);
  }

  /** Gives `job` a slot of the host with this id. */
  take(job: JobName, id: string): void {
    this.giveBack(job);
    this.#holders.set(job, id);
    this.#used.set(id, this.#count(id) + 1);
    this.#mark(id);
  }

  /**
   * Counts a job of an earlier run: against the host it had, if that still names the machine and has room, else against
   * one that is like it (same GPU and environment) and has room, else against its own all the same (which thereby holds
   * more than its capacity: no job starts there until it holds less). Where its own is gone, against the entry of the
   * same machine with most room.
   */
  adopt(job: JobName, machine: string, id: string | null): void {
    const there = this.#hosts.filter((host) => machineKey(host.machine) === machine);
    const room = (host: SlotHost): number => host.capacity - this.#count(host.id);
    const own = there.find((host) => host.id === id);
    const fits = own === undefined || room(own) > 0
      ? own
      : there.find((host) => isLike(host, own) && room(host) > 0) ?? own;
    const best = fits ?? there.toSorted((a, b) => room(b) - room(a))[0];
    if (best !== undefined) this.take(job, best.id);
  }

  /**
   * Frees the job's slot, once.
   * @returns The host that has it back; null if the job had none, or if that host or one like it held too many: then no
   * slot is free.
   */
  giveBack(job: JobName): string | null {
    const id = this.#holders.get(job);
    if (id === undefined) return null;
    this.#holders.delete(job);
    this.#used.set(id, this.#count(id) - 1);
    this.#mark(id);
    const crowded = this.#over.size === 0 ? undefined : this.#crowded(id);
    if (crowded === undefined) {
      const host = this.#host(id);
      return host === undefined || this.#count(id) < host.capacity ? id : null;
    }
    this.take(crowded, id);
    return null;
  }

  /**
   * A job on the same machine whose host, one like this, holds more than it may: it takes over what was just given
   * back.
   */
  #crowded(id: string): JobName | undefined {
    const own = this.#host(id);
    if (own === undefined || this.#over.has(id)) return undefined;
    const isNear = (host: SlotHost | undefined): boolean =>
      host !== undefined && machineKey(host.machine) === machineKey(own.machine) && isLike(host, own);
    for (const [job, of] of this.#holders) if (this.#over.has(of) && isNear(this.#host(of))) return job;
    return undefined;
  }

  #host(id: string): SlotHost | undefined {
    return this.#hosts[this.#places.get(id) ?? -1];
  }

  #mark(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    const bit = 1 << (place & 31);
    const host = this.#hosts[place]!;
    const room = this.room(host);
    if (room > 0 && !this.#closed.has(id)) {
      this.#free[place >>> 5]! |= bit;
      this.#isNoneFree = false;
    } else this.#free[place >>> 5]! &= ~bit;
    if (room < 0) this.#over.add(id);
    else this.#over.delete(id);
  }

  /** Jobs that hold a slot of this host. */
  #count(id: string): number {
    return this.#used.get(id) ?? 0;
  }

  /** For the checks of tests and the simulation: slots in use by host id. */
  inUse(): ReadonlyMap<string, number> {
    return this.#used;
  }
}

/** True if a job cannot tell one from the other. */
function isLike(a: SlotHost, b: SlotHost): boolean {
  return natureOf(a) === natureOf(b);
}

/** What a job can tell of its host, but for the machine: the same text for hosts that are alike. */
export function natureOf({ gpu, pyenv, env }: SlotHost): string {
  return env === undefined && gpu === "" && pyenv === "" ? "" : JSON.stringify([gpu, pyenv, env]);
}

/** True if the host takes jobs. */
export function isOffered(host: { active: boolean; capacity: number }): boolean {
  return host.active && host.capacity > 0;
}
