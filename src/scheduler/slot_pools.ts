/**
 * Slot pools: hosts of one machine that a job cannot tell apart (same GPU, same environment), so that any of their
 * slots will do; and how many jobs are worth prefetching there. Part of the core; pure.
 *
 * @module
 */

import { machineKey } from "../cluster/machine.ts";
import type { SlotPool } from "./in_flight.ts";
import type { Machines } from "./machines.ts";
import { natureOf, type SlotHost } from "./slot_host.ts";

/** From the end of a job to the start of the next without prefetch: a round trip, and this. */
const TURN_MS = 4;
/** Jobs are prefetched where that time is more than this part of what a job takes. */
const WORTH = 0.02;
/** How long an end waits for others, to be written down with them, where the host has the next jobs already. */
export const GATHER_MS = 20;
/** At most so many for each slot, */
const MOST_EACH = 16;
/** and so many in all; a pool of more slots prefetches nothing. A backlog has room for twice as many. */
const MOST = 64;
/** What waits for longer than this, or than three jobs take, is recalled: others may have a slot sooner. */
const PATIENCE_MS = [1_000, 20_000] as const;
/** Weight of the last job in the mean time that jobs take. */
const WEIGHT = 1 / 8;

/** The pools of a run. */
export class SlotPools {
  readonly #machines: Machines;
  readonly #pools = new Map<string, SlotPool>();
  readonly #byMachine = new Map<string, SlotPool[]>();
  readonly #ofHost = new Map<string, SlotPool>();
  /** What jobs of the run take, for pools that have seen none; ms. */
  #jobMs: number | null = null;

  constructor(machines: Machines) {
    this.#machines = machines;
  }

  all(): Iterable<SlotPool> {
    return this.#pools.values();
  }

  /** Those of a machine. */
  on(machine: string): readonly SlotPool[] {
    return this.#byMachine.get(machine) ?? [];
  }

  /** The pool that a host belongs to; undefined if it is not active. */
  of(host: string): SlotPool | undefined {
    return this.#ofHost.get(host);
  }

  /** Takes in the hosts of a run. @returns Pools that were there before and are other ones now. */
  setHosts(hosts: readonly SlotHost[]): SlotPool[] {
    const groups = new Map<string, SlotHost[]>();
    for (const host of hosts) {
      if (!host.active || host.capacity < 1) continue;
      const key = JSON.stringify([machineKey(host.machine), natureOf(host)]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [host]);
      else group.push(host);
    }
    const changed: SlotPool[] = [];
    for (const [key, pool] of this.#pools) {
      const now = groups.get(key) ?? [];
      if (textOf(now) !== textOf(pool.hosts)) changed.push(pool);
      // One without hosts stays: what was sent there may still be on its way when they come back.
      if (now.length === 0) pool.slots = 0;
    }
    this.#ofHost.clear();
    for (const [key, group] of groups) {
      const machine = machineKey(group[0]!.machine);
      const pool = this.#pools.get(key) ?? this.#make(key, machine, group);
      pool.hosts = group;
      pool.slots = group.reduce((sum, host) => sum + host.capacity, 0);
      for (const { id } of group) this.#ofHost.set(id, pool);
    }
    return changed;
  }

  #make(key: string, machine: string, hosts: readonly SlotHost[]): SlotPool {
    const pool = { machine, hosts, slots: 0, backlog: null, jobMs: null, isUnable: false };
    this.#pools.set(key, pool);
    this.#byMachine.set(machine, [...this.on(machine), pool]);
    return pool;
  }

  /** Takes in what a job took. @returns True if it is the first of the run: all pools can tell more now. */
  learn(pool: SlotPool, tookMs: number): boolean {
    const mean = (before: number | null): number => before === null ? tookMs : before + (tookMs - before) * WEIGHT;
    const isFirst = this.#jobMs === null;
    this.#jobMs = mean(this.#jobMs);
    pool.jobMs = mean(pool.jobMs);
    return isFirst;
  }

  /**
   * How many jobs may wait in a pool: as many as end there before the next are sent and have arrived, and as many
   * again.
   */
  depth(pool: SlotPool): number {
    const jobMs = this.#expectedMs(pool);
    if (jobMs === null || pool.isUnable || pool.slots > MOST) return 0;
    const gapMs = this.gapMs(pool);
    if (gapMs < WORTH * jobMs) return 0;
    const each = Math.ceil(2 * (gapMs + GATHER_MS) / Math.max(jobMs, 1));
    return Math.min(MOST, pool.slots * Math.min(MOST_EACH, each));
  }

  /** How long a slot of the pool is empty if nothing waits there. */
  gapMs(pool: SlotPool): number {
    return (this.#machines.get(pool.machine)?.roundTripMs ?? 0) + TURN_MS;
  }

  /** How long a job may wait in the pool's backlog. */
  patienceMs(pool: SlotPool): number {
    return Math.min(PATIENCE_MS[1], Math.max(PATIENCE_MS[0], 3 * (this.#expectedMs(pool) ?? 0)));
  }

  #expectedMs(pool: SlotPool): number | null {
    return pool.jobMs ?? this.#jobMs;
  }
}

function textOf(hosts: readonly SlotHost[]): string {
  return JSON.stringify(hosts.map(({ id, capacity }) => [id, capacity]));
}
