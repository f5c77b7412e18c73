/**
 * When something is due in a backlog: an attempt has waited for too long, or a start with a slot is not confirmed. Part
 * of the core; pure.
 *
 * @module
 */

import type { RunContext } from "./context.ts";
import { type Backlog, type InFlight, isRecalled, sinceMsOf } from "./in_flight.ts";
import type { OpenBacklogs } from "./open_backlogs.ts";
import type { SlotPools } from "./slot_pools.ts";

/** A start that has its slot and is not confirmed for so long: something is wrong with the backlog. */
export const CONFIRM_MS = 10_000;
/** Pause before recalling again what gave no answer. */
export const AGAIN_MS = 1_000;
/** How often the core looks whether a host has a free slot and nothing to do while jobs wait on others. */
const IDLE_MS = 20;

/** The times of all backlogs. */
export class BacklogTimes {
  readonly #run: RunContext;
  readonly #pools: SlotPools;
  readonly #backlogs: OpenBacklogs;
  #checkAtMs = Infinity;
  /** Whether other jobs waited for a start at the last look. */
  #hasMore = true;

  constructor(run: RunContext, { pools, backlogs }: { pools: SlotPools; backlogs: OpenBacklogs }) {
    this.#run = run;
    this.#pools = pools;
    this.#backlogs = backlogs;
  }

  /** Nothing is due before: the backlogs of hundreds of hosts are not gone through at every event. */
  get checkAtMs(): number {
    return this.#checkAtMs;
  }

  /** True if the backlogs are to be looked at. `hasMore`: other jobs wait for a start. */
  isDue(hasMore: boolean): boolean {
    if (this.#run.nowMs < this.#checkAtMs && hasMore === this.#hasMore) return false;
    this.#hasMore = hasMore;
    return true;
  }

  /** They were looked at: says when to do so again. */
  plan(hasMore: boolean): void {
    this.#checkAtMs = this.#nextAtMs(hasMore);
  }

  /** There is something to look at in so long. */
  look(inMs: number): void {
    this.#checkAtMs = Math.min(this.#checkAtMs, this.#run.nowMs + inMs);
  }

  /** How long an attempt may wait in a backlog: not long where another host has a slot and nothing else to do. */
  limitMs({ pool, isOver }: Backlog, hasMore: boolean): number {
    if (isOver) return AGAIN_MS;
    const isIdle = !hasMore && this.#run.slots.free((key) => this.#run.machines.isUp(key)) !== null;
    return isIdle ? Math.min(this.#pools.patienceMs(pool), 4 * this.#pools.gapMs(pool)) : this.#pools.patienceMs(pool);
  }

  /** Attempts of a backlog that a recall can still reach and that none is out for. */
  open({ pool, isOver, waiting, unconfirmed }: Backlog): InFlight[] {
    const state = this.#run.machines.get(pool.machine);
    // Without a link they are asked about when it is back.
    if (state?.openedAtMs === null) return [];
    const all = isOver ? [...waiting, ...unconfirmed] : [...waiting];
    return all.filter((one) => !isRecalled(one) && one.boot === state?.boot);
  }

  #nextAtMs(hasMore: boolean): number {
    // Whether another host is idle changes with every start and end.
    let at = !hasMore && this.#run.inFlight.waiting > 0 ? this.#run.nowMs + IDLE_MS : Infinity;
    for (const backlog of this.#backlogs) {
      const limitMs = this.limitMs(backlog, hasMore);
      for (const one of this.open(backlog)) at = Math.min(at, sinceMsOf(one) + limitMs);
      if (!backlog.isOver) at = Math.min(at, confirmAtMs(backlog));
    }
    return at;
  }
}

/** When the oldest start with a slot must be confirmed; Infinity if none is open. */
export function confirmAtMs({ unconfirmed }: Backlog): number {
  const [first] = unconfirmed;
  return first === undefined ? Infinity : sinceMsOf(first) + CONFIRM_MS;
}
