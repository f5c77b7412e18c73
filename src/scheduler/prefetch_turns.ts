/**
 * Which slot pool gets the next prefetched job: those that have room take turns. Part of the core; pure.
 *
 * @module
 */

import type { RunContext } from "./context.ts";
import type { SlotPool } from "./in_flight.ts";
import type { OpenBacklogs } from "./open_backlogs.ts";
import type { SlotPools } from "./slot_pools.ts";
import type { SlotHost } from "./slot_host.ts";

/** What the host can tell apart: descriptors of its shell. Further pools of a machine prefetch nothing. */
const NUMBERS = [5, 6, 7, 8] as const;
/** Jobs are prefetched while more than this wait for each slot of the run. */
const ENOUGH = 2;

/** The turns of the pools. */
export class PrefetchTurns {
  readonly #run: RunContext;
  readonly #pools: SlotPools;
  readonly #backlogs: OpenBacklogs;
  /** Pools that may have room for more, those that had none for longest first. */
  readonly #hungry = new Set<SlotPool>();

  constructor(run: RunContext, { pools, backlogs }: { pools: SlotPools; backlogs: OpenBacklogs }) {
    this.#run = run;
    this.#pools = pools;
    this.#backlogs = backlogs;
  }

  /**
   * A host to prefetch a job on; null where no pool takes more. No slot is free when this is asked.
   * @param waiting How many jobs wait for a start. Near the end of a queue nothing is prefetched: its last jobs go
   * where a slot is free first, and a short queue starts exactly in the order of the file.
   */
  next(waiting: number): SlotHost | null {
    if (waiting <= ENOUGH * this.#run.slots.capacity()) return null;
    for (const pool of this.#hungry) {
      // Slots that a job holds several of, or that are kept for one, are none to count ahead with.
      if (pool.hosts.some(({ id }) => this.#run.slots.isReserved(id))) continue;
      this.#hungry.delete(pool);
      const { backlog } = pool;
      // Slots that attempts on another machine have become free only when the name leads there again.
      const isUp = this.#run.machines.isUp(pool.machine) && !this.#run.inFlight.anyAway(pool.machine);
      const isReady = isUp && backlog?.isOver !== true;
      if (!isReady || (backlog?.waiting.size ?? 0) >= this.#pools.depth(pool)) continue;
      if (backlog === null && this.freeNumber(pool) === null) continue;
      this.#hungry.add(pool); // Behind the others.
      return pool.hosts[0] ?? null;
    }
    return null;
  }

  /** Lets a pool have more if no more than half of what it may have waits there. */
  feed(pool: SlotPool): void {
    const depth = this.#pools.depth(pool);
    if (depth > 0 && (pool.backlog?.waiting.size ?? 0) <= depth / 2) this.#hungry.add(pool);
  }

  /** A number for one more backlog of a machine; null where there is none left. */
  freeNumber({ machine }: SlotPool): number | null {
    const used = this.#backlogs.on(machine).map(({ number }) => number);
    return NUMBERS.find((number) => !used.includes(number)) ?? null;
  }
}
