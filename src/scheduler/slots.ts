/**
 * The slots of a run: which hosts there are, how many jobs each may run, and who has a slot now. Pure.
 *
 * Two hosts that name the same machine are separate slots; a job gives back the very slot it took, so that two entries with
 * different GPUs on one machine never share one.
 *
 * @module
 */

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
}

/** Who holds what. Hosts in the order in which they are offered. */
export class Slots {
  #hosts: readonly SlotHost[] = [];
  #onlyMachine: Machine | null = null;
  readonly #holders = new Map<JobName, string>();
  readonly #used = new Map<string, number>();

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
    const offered = hosts.filter((host) => host.active && host.capacity > 0).map((host) => host.machine);
    const [first] = offered;
    const isOnly = first !== undefined && offered.every((machine) => machineKey(machine) === machineKey(first));
    this.#onlyMachine = isOnly ? first : null;
  }

  /** The first active host with a free slot on a machine that `isUp`, or null. */
  free(isUp: (machine: string) => boolean): SlotHost | null {
    for (const host of this.#hosts) {
      if (host.active && this.#count(host.id) < host.capacity && isUp(machineKey(host.machine))) return host;
    }
    return null;
  }

  /** Jobs that may run at once on active hosts. */
  capacity(): number {
    return this.#hosts.reduce((sum, host) => sum + (host.active ? host.capacity : 0), 0);
  }

  /** Gives `job` a slot of the host with this id. */
  take(job: JobName, id: string): void {
    this.giveBack(job);
    this.#holders.set(job, id);
    this.#used.set(id, this.#count(id) + 1);
  }

  /**
   * Counts a job of an earlier run: against the host it had, if that still names the machine, else against the entry of the same
   * machine with most room (which may thereby hold more than its capacity: no job starts there until it holds less).
   */
  adopt(job: JobName, machine: string, id: string | null): void {
    const there = this.#hosts.filter((host) => machineKey(host.machine) === machine);
    const room = (host: SlotHost): number => host.capacity - this.#count(host.id);
    const own = there.find((host) => host.id === id && room(host) > 0);
    const best = own ?? there.toSorted((a, b) => room(b) - room(a))[0];
    if (best !== undefined) this.take(job, best.id);
  }

  /** Frees the job's slot, once; nothing happens if it has none. */
  giveBack(job: JobName): void {
    const id = this.#holders.get(job);
    if (id === undefined) return;
    this.#holders.delete(job);
    this.#used.set(id, this.#count(id) - 1);
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
