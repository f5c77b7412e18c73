/**
 * Requests that hold a queue take turns, so that none takes another request of this service for a scheduler.
 *
 * @module
 */

import type { StoreRef } from "../store/store.ts";

const waiting = new Map<string, Promise<unknown>>();

/** Does `work` when all that were asked for before on the same queue are done. */
export async function inTurn<T>(ref: StoreRef, work: () => Promise<T>): Promise<T> {
  const key = `${ref.directory}/${ref.name}`;
  const before = waiting.get(key);
  const mine = before === undefined ? work() : before.then(work, work);
  waiting.set(key, mine);
  try {
    return await mine;
  } finally {
    if (waiting.get(key) === mine) waiting.delete(key);
  }
}
