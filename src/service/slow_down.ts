/**
 * Makes guessing a password slow: who failed often waits for each further answer, and may have only a few open at once.
 * What is known of addresses is bounded; who was quiet for a while starts anew.
 *
 * @module
 */

import type { Clock } from "../deps.ts";

/** Failures that cost nothing: a person mistypes, a browser tries what it has stored. */
const FREE = 10;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;
/** Requests of one address that may wait for their refusal. */
const MOST_WAITING = 8;
const MOST_WAITING_IN_ALL = 256;
const MOST_ADDRESSES = 10_000;
const FORGET_MS = 15 * 60_000;

interface Record {
  failures: number;
  waiting: number;
  lastMs: number;
}

/** Counts failures by address. */
export class SlowDown {
  readonly #clock: Clock;
  /** The one that failed longest ago is first. */
  readonly #records = new Map<string, Record>();
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * True if the address has so many refusals open that it must not even be looked at. Also with the right password: else an
   * attacker would be told at once, and need not wait for the refusals.
   */
  isFull(address: string): boolean {
    const record = this.#records.get(address);
    return (record?.waiting ?? 0) >= MOST_WAITING || (record !== undefined && this.#waiting >= MOST_WAITING_IN_ALL);
  }

  /** Notes a failure and waits as long as it costs; ends early if `signal` aborts. */
  async failed(address: string, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now();
    let record = this.#records.get(address);
    if (record === undefined || nowMs - record.lastMs > FORGET_MS) {
      record = { failures: 0, waiting: record?.waiting ?? 0, lastMs: nowMs };
    }
    record.failures++;
    record.lastMs = nowMs;
    this.#records.delete(address);
    this.#records.set(address, record);
    if (this.#records.size > MOST_ADDRESSES) this.#records.delete(this.#records.keys().next().value as string);
    if (record.failures <= FREE) return;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(record.failures - FREE - 1, 20), LONGEST_PAUSE_MS);
    record.waiting++;
    this.#waiting++;
    try {
      await this.#clock.sleepUntil(nowMs + pauseMs, signal);
    } finally {
      record.waiting--;
      this.#waiting--;
    }
  }

  /** Forgets the failures of an address whose credentials were right. */
  succeeded(address: string): void {
    this.#records.delete(address);
  }
}
