/**
 * Numbers of slots, from 0 on each host as jobs know it: no two jobs that run there at once have the same. A backlog
 * gives its numbers on the host itself; all others are given here. Pure.
 *
 * @module
 */

import type { RunContext } from "./context.ts";
import type { Backlog, InFlight, SlotPool } from "./in_flight.ts";
import type { SlotPools } from "./slot_pools.ts";

/** Gives the numbers. */
export class SlotNumbers {
  readonly #run: RunContext;
  readonly #pools: SlotPools;

  constructor(run: RunContext, pools: SlotPools) {
    this.#run = run;
    this.#pools = pools;
  }

  /** The lowest number that no job has there. `host`: null where slots are not counted by host. */
  next(machine: string, host: string | null): number {
    return free(this.#taken(machine, host === null ? undefined : this.#pools.of(host)), 1)[0]!;
  }

  /** So many numbers, the lowest that no job of the pool has. */
  free(pool: SlotPool, count: number): number[] {
    return free(this.#taken(pool.machine, pool), count);
  }

  /**
   * The number of one more slot of a backlog. `known`: that of the job which had it, unless the host has given it to
   * another since; null where its host could not say.
   */
  more(backlog: Backlog, known: number | null): number[] {
    const { pool, slots } = backlog;
    const taken = this.#taken(pool.machine, pool).union(slots);
    const number = known !== null && !taken.has(known) ? known : free(taken, 1)[0]!;
    slots.add(number);
    return [number];
  }

  /** What jobs have there. One whose host is not known any more counts everywhere on its machine. */
  #taken(machine: string, pool: SlotPool | undefined): Set<number> {
    const taken = new Set<number>();
    for (const one of this.#run.inFlight.on(machine)) {
      if (one.slot === null || one.stage.at === "given_up") continue;
      const own = this.#poolOf(one);
      if (pool === undefined || own === undefined || own === pool) taken.add(one.slot);
    }
    return taken;
  }

  #poolOf({ job }: InFlight): SlotPool | undefined {
    const host = this.#run.slots.hostOf(job);
    return host === undefined ? undefined : this.#pools.of(host);
  }
}

function free(taken: ReadonlySet<number>, count: number): number[] {
  const numbers: number[] = [];
  for (let number = 0; numbers.length < count; number++) if (!taken.has(number)) numbers.push(number);
  return numbers;
}
