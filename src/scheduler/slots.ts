/**
 * The slots of a run: which hosts there are, how many jobs each may run, and who has a slot now. What a job holds
 * besides slots is counted in `resources.ts`. Pure.
 *
 * Two hosts that name the same machine are separate slots; a job gives back the very slot it took, so that two entries
 * with different GPUs on one machine never share one.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { type Machine, machineKey } from "../cluster/machine.ts";
import type { Job } from "../job/job.ts";
import type { Needs } from "../job/needs.ts";
import type { Fit, FitView, Share } from "./fit.ts";
import { FreeHosts } from "./free_hosts.ts";
import { couldHold, Resources } from "./resources.ts";
import { isLike, isOffered, type SlotHost } from "./slot_host.ts";
import { Terms } from "./terms.ts";

/** Who holds what. Hosts in the order in which they are offered. */
export class Slots {
  #hosts: readonly SlotHost[] = [];
  readonly #free = new FreeHosts();
  #capacity = 0;
  #onlyMachine: Machine | null = null;
  readonly #holders = new Map<JobName, string>();
  readonly #used = new Map<string, number>();
  /** Hosts that give no slot for the moment, see {@link Slots.close}. */
  readonly #closed = new Set<string>();
  /** Hosts that hold more jobs than they may, of earlier runs. */
  readonly #over = new Set<string>();
  readonly #resources = new Resources();
  /** Hosts that are kept for a job which needs more than is free there. */
  readonly #kept = new Set<string>();
  /** The host that was last kept for a job. */
  readonly #keptFor = new Map<JobName, string>();

  readonly #terms: Terms;

  constructor(hosts: readonly SlotHost[], timeLimit: string | null = null) {
    this.#terms = new Terms(timeLimit);
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
    this.#capacity = hosts.reduce((sum, host) => sum + (isOffered(host) ? host.capacity : 0), 0);
    this.#terms.setHosts(hosts);
    this.#free.setHosts(hosts);
    this.#over.clear();
    this.#kept.clear();
    this.#keptFor.clear();
    for (const { id } of hosts) this.#mark(id);
    this.#spread();
    const offered = hosts.filter(isOffered).map((host) => host.machine);
    const [first] = offered;
    // Others may come.
    const isClosed = hosts.every(({ isToCome }) => isToCome !== true);
    const isOnly = first !== undefined && isClosed &&
      offered.every((machine) => machineKey(machine) === machineKey(first));
    this.#onlyMachine = isOnly ? first : null;
  }

  /** The first active host with a free slot on a machine that `isUp`, or null. One that is `liked` goes before. */
  free(isUp: (machine: string) => boolean, liked: ((host: SlotHost) => boolean) | null = null): SlotHost | null {
    return this.#free.first(isUp, liked);
  }

  /** A machine is up now: its slots count. */
  machineUp(machine: string): void {
    this.#free.machineUp(machine);
  }

  /** The hosts of a machine, in their order. */
  on(machine: string): readonly SlotHost[] {
    return this.#free.on(machine);
  }

  /** See {@link Terms.needsOf}. */
  needsOf(job: Job): Needs | null {
    return this.#terms.needsOf(job);
  }

  /**
   * Where a job may start that needs more than a slot: on the first host with all of it. Else it waits for the one on
   * which it will fit soonest, and stays with that one, so that it does not give way on each in turn.
   */
  fit(job: JobName, needs: Needs, { isUp, liked, nowMs, gpus }: FitView): Fit {
    let couldAny = false;
    let other: Fit | null = null;
    let reason: string | null = null;
    const open: SlotHost[] = [];
    const unsure: SlotHost[] = [];
    for (const host of this.#hosts) {
      if (!host.active || !couldHold(host, needs)) continue;
      couldAny = true;
      if (this.#kept.has(host.id) || !isUp(machineKey(host.machine))) continue;
      if (!this.#terms.lasts(host, needs, nowMs)) continue;
      const isOpen = !this.#closed.has(host.id) && this.room(host) >= needs.slots;
      const left = gpus.usable(host);
      if (left !== host && !couldHold(left, needs)) {
        reason ??= gpus.reason(host);
        continue;
      }
      const devices = isOpen ? this.#resources.choose(left, needs) : null;
      if (devices === null) open.push(left);
      else if (!gpus.isSure(host, devices)) unsure.push(host);
      else if (liked === null || liked(host)) return { type: "now", host, devices };
      else other ??= { type: "now", host, devices };
    }
    if (other !== null) return other;
    if (!couldAny) return { type: "never" };
    if (unsure.length > 0) return { type: "ask", hosts: unsure };
    const last = this.#keptFor.get(job);
    const host = open.find(({ id }) => id === last) ?? this.#soonest(open, needs);
    return { type: "later", host, reason: host === null ? reason : null };
  }

  #soonest(hosts: readonly SlotHost[], needs: Needs): SlotHost | null {
    let best: SlotHost | null = null;
    let least = Infinity;
    for (const host of hosts) {
      const ends = this.#resources.endsUntilFit(host, needs, this.room(host), this.#count(host.id));
      if (ends < least) [best, least] = [host, ends];
    }
    return best;
  }

  /** Keeps a host for a job: it gives no slot to those behind until {@link Slots.keepNone}. */
  keep(id: string, job: JobName): void {
    this.#kept.add(id);
    this.#keptFor.set(job, id);
    this.#mark(id);
  }

  /** A machine goes by another key of it, with the devices that jobs hold there. */
  rename(from: string, to: string): void {
    this.#resources.rename(from, to);
  }

  /** The jobs are considered anew, the first before all others: no host is kept. */
  keepNone(): void {
    if (this.#kept.size === 0) return;
    const kept = [...this.#kept];
    this.#kept.clear();
    for (const id of kept) this.#mark(id);
  }

  /** True if a host is kept for a job that needs more than a slot, or runs one, or takes only so many jobs. */
  isReserved(id: string): boolean {
    return this.#kept.has(id) || this.#resources.isHeld(id) || this.#host(id)?.jobs !== undefined;
  }

  /** Jobs that may run at once on active hosts. */
  capacity(): number {
    return this.#capacity;
  }

  /** Free slots of a host; below 0 if it was given jobs of an earlier run beyond its capacity. */
  room(host: SlotHost): number {
    return host.active ? Math.min(host.capacity - this.#count(host.id), this.#terms.left(host)) : 0;
  }

  /** A host that is closed gives no slot until it is opened again; what holds one keeps it. */
  close(id: string, closed: boolean): void {
    if (closed) this.#closed.add(id);
    else this.#closed.delete(id);
    this.#mark(id);
  }

  /** Jobs that hold devices of a machine, by device. */
  holders(machine: string): ReadonlyMap<number, readonly JobName[]> {
    return this.#resources.holders(machine);
  }

  /** Id of the host whose slot it has. */
  hostOf(job: JobName): string | undefined {
    return this.#holders.get(job);
  }

  /** Gives `job` a slot of the host with this id, and its share of what else there is. */
  take(job: JobName, id: string, share: Share | null = null): void {
    this.giveBack(job);
    this.#holders.set(job, id);
    const host = this.#host(id);
    if (host !== undefined) this.#terms.took(host);
    if (share !== null && host !== undefined) {
      this.#resources.take(job, { ...share, host: id, machine: machineKey(host.machine) });
      this.#keptFor.delete(job);
    }
    this.#used.set(id, this.#count(id) + this.#slotsOf(job));
    this.#mark(id);
  }

  /** How many slots a job takes. */
  #slotsOf(job: JobName): number {
    return this.#resources.of(job)?.needs.slots ?? 1;
  }

  /**
   * Counts a job of an earlier run: against the host it had, if that still names the machine and has room, else against
   * one that is like it (same GPU and environment) and has room, else against its own all the same (which thereby holds
   * more than its capacity: no job starts there until it holds less). Where its own is gone, against the entry of the
   * same machine with most room.
   */
  adopt(job: JobName, machine: string, id: string | null, share: Share | null = null): void {
    const there = this.on(machine);
    const room = (host: SlotHost): number => host.capacity - this.#count(host.id);
    const own = there.find((host) => host.id === id);
    const fits = own === undefined || room(own) > 0 || share !== null
      ? own
      : there.find((host) => isLike(host, own) && room(host) > 0) ?? own;
    const best = fits ?? there.toSorted((a, b) => room(b) - room(a))[0];
    if (best !== undefined) this.take(job, best.id, share);
  }

  /**
   * Frees the job's slot, once.
   * @returns The host that has it back; null if the job had none, or if that host or one like it held too many: then no
   * slot is free.
   */
  giveBack(job: JobName): string | null {
    const id = this.#holders.get(job);
    if (id === undefined) return null;
    const count = this.#slotsOf(job);
    this.#holders.delete(job);
    this.#resources.giveBack(job);
    this.#used.set(id, this.#count(id) - count);
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
    for (const [job, of] of this.#holders) {
      if (this.#over.has(of) && isNear(this.#host(of)) && this.#resources.of(job) === undefined) return job;
    }
    return undefined;
  }

  /** After a change of the hosts: what one holds too many of goes to those like it, see {@link Slots.adopt}. */
  #spread(): void {
    if (this.#over.size === 0) return;
    for (const [job, of] of [...this.#holders]) {
      const own = this.#over.has(of) ? this.#host(of) : undefined;
      if (own === undefined || this.#resources.of(job) !== undefined) continue;
      const machine = machineKey(own.machine);
      const near = this.#hosts.find((host) =>
        this.room(host) > 0 && isLike(host, own) && machineKey(host.machine) === machine
      );
      if (near !== undefined) this.take(job, near.id);
    }
  }

  #host(id: string): SlotHost | undefined {
    return this.#free.get(id);
  }

  #mark(id: string): void {
    const host = this.#host(id);
    if (host === undefined) return;
    this.#free.set(id, this.room(host) > 0 && !this.#closed.has(id) && !this.#kept.has(id));
    if (host.capacity < this.#count(id)) this.#over.add(id);
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
