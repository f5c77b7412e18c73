/**
 * Turns at queues and clusters: of each there is one work at a time, in order of arrival.
 *
 * @module
 */

import { Gate } from "../link/gate.ts";
import type { StoreRef } from "../store/store.ts";
import { Refusal } from "./errors.ts";

/** Requests that wait for hosts, of one queue or cluster. */
const MOST = 32;

/** Says that too many wait. */
export function tooMany(): Refusal {
  return new Refusal(503, "Too many requests wait; try again", { "Retry-After": "1" });
}

/** One work of each place at a time. */
export class Turns {
  readonly #most: number;
  readonly #each = new Map<string, { readonly gate: Gate; count: number }>();

  /** @param most Works of one place that are under way or wait. */
  constructor(most: number = Infinity) {
    this.#most = most;
  }

  /** Does `work` when all that came before at this place are done. @throws {Refusal} 503 if too many wait. */
  async pass<T>(place: string, work: () => Promise<T>): Promise<T> {
    const own = this.#each.get(place) ?? { gate: new Gate(1), count: 0 };
    if (own.count >= this.#most) throw tooMany();
    this.#each.set(place, own);
    own.count++;
    try {
      return await own.gate.pass(work);
    } finally {
      if (--own.count === 0) this.#each.delete(place);
    }
  }
}

/**
 * Requests that hold a queue while they wait for hosts take turns, so that none takes another request of this service
 * for a scheduler. Changes that wait for no host do not wait for them.
 */
export const hostTurns: Turns = new Turns(MOST);

/** The key of a queue or cluster. */
export function placeOf(type: string, { directory, name }: StoreRef): string {
  return `${type} ${directory}/${name}`;
}
