/**
 * Gathers what an operation warns of while it answers a request: for the log, and for the JSON reply.
 *
 * @module
 */

import type { Service } from "./service.ts";

/** Most warnings of one request, for its reply and for the log: a list of 100,000 names may give one for each. */
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
      if (texts.length > MOST) return;
      const one = texts.length < MOST ? text : "Further warnings of this request are left out";
      service.log.warning(one);
      texts.push(one);
    },
  };
}
