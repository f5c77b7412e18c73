/**
 * What a request will make, counted before it is made: each name of an expandable list becomes a record with a copy of
 * what was given once, so that a few bytes can ask for gigabytes.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import { EXPAND_LIMIT } from "../names/expand.ts";

/** Most text of all records that one request makes or changes. */
export const COPIES_BYTES = 32 * 1024 * 1024;

/** Counts the records of one request. */
export class Copies {
  readonly #what: string;
  #names = 0;
  #bytes = 0;

  /** @param what As a message says it: `add jobs`. */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * Counts `names` copies of the texts among `fields`. @throws {InvalidError} If the request as a whole is too large.
   */
  add(names: readonly string[], fields: object): void {
    let each = 0;
    for (const value of Object.values(fields)) each += typeof value === "string" ? value.length : 0;
    this.#names += names.length;
    this.#bytes += names.length * each;
    if (this.#names > EXPAND_LIMIT) this.#refuse(`more than ${EXPAND_LIMIT} names`);
    if (this.#bytes > COPIES_BYTES) {
      this.#refuse(`more than ${COPIES_BYTES / 1024 / 1024} MiB of text in all its records`);
    }
  }

  #refuse(reason: string): never {
    throw new InvalidError([`Cannot ${this.#what}: the request makes ${reason}; split it`]);
  }
}
