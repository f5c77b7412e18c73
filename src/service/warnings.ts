/**
 * Gathers what an operation warns of while it answers a request: for the log, and for the JSON reply.
 *
 * @module
 */

import type { Service } from "./service.ts";

/** Most warnings that a reply holds. */
const MOST = 100;

/** What an operation warned of so far. */
export interface Warnings {
  warn(text: string): void;
  /** In order. */
  readonly texts: readonly string[];
}

/** Makes a gatherer that writes to the log, too. */
export function gatherWarnings(service: Service): Warnings {
  const texts: string[] = [];
  return {
    texts,
    warn(text) {
      service.log.warning(text);
      if (texts.length < MOST) texts.push(text);
    },
  };
}
