/**
 * What several verbs say, written once.
 *
 * @module
 */

import type { StoreRef } from "../store/store.ts";

/** A job that the queue does not have. `shown`: its name, or what was given for one, in quotation marks. */
export function noSuchJob(queue: StoreRef, shown: string): string {
  return `Job ${shown} does not exist in queue ${queue.name}`;
}

/** A job whose end could not be asked for. */
export function notKilled(job: string): string {
  return `Job ${job} could not be killed: its host does not answer`;
}
