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

/** Most records, and their text; what to do about more. */
export interface CopyLimits {
  readonly names: number;
  readonly bytes: number;
  readonly hint: string;
}

/** Of a request. */
export const COPY_LIMITS: CopyLimits = { names: EXPAND_LIMIT, bytes: COPIES_BYTES, hint: "split it" };
/** Of who has said that it is meant: as many as one queue is meant to have. */
export const AGREED_LIMITS: CopyLimits = { names: 10 * EXPAND_LIMIT, bytes: 4 * COPIES_BYTES, hint: "split it" };
/** Of a command that can still be told so. */
export const ASKING_LIMITS: CopyLimits = { ...COPY_LIMITS, hint: "--yes allows 1000000 names and 128 MiB" };

/** Counts the records of one request. */
export class Copies {
  readonly #what: string;
  #names = 0;
  #bytes = 0;

  readonly #limits: CopyLimits;

  /** @param what As a message says it: `add jobs`. */
  constructor(what: string, limits: CopyLimits = COPY_LIMITS) {
    this.#what = what;
    this.#limits = limits;
  }

  /**
   * Counts `names` copies of the texts among `fields`. @throws {InvalidError} If the request as a whole is too large.
   */
  add(names: readonly string[], fields: object): void {
    let each = 0;
    for (const value of Object.values(fields)) each += typeof value === "string" ? value.length : 0;
    this.#names += names.length;
    this.#bytes += names.length * each;
    const { names: mostNames, bytes } = this.#limits;
    if (this.#names > mostNames) this.#refuse(`more than ${mostNames} names`);
    if (this.#bytes > bytes) {
      this.#refuse(`more than ${bytes / 1024 / 1024} MiB of text in all its records`);
    }
  }

  #refuse(reason: string): never {
    throw new InvalidError([`Cannot ${this.#what}: the request makes ${reason}; ${this.#limits.hint}`]);
  }
}
