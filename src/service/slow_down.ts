/**
 * Makes guessing a password slow: who failed often waits for each further refusal, and may have only a few open at
 * once. Beside that of each address there is a bound over all, so that many addresses are of no use. What is known of
 * addresses is bounded.
 *
 * Only a wrong password waits; the right one always gets in, whatever others do from the same address. So a lucky guess
 * is told at once, and a good password is what keeps others out. Failures are forgotten by time alone: were they
 * forgotten at a success, the user of a shared address would give whoever guesses there ever new attempts.
 *
 * @module
 */

import type { Clock } from "../deps.ts";
import { networkOf } from "../names/network.ts";

/** Failures that cost nothing: a person mistypes, a browser tries what it has stored. */
const FREE = 10;
const FREE_IN_ALL = 100;
/** Of all addresses together one failure is forgotten each time that this has passed. */
const FORGET_ONE_MS = 1000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;
/** Requests of one address that may wait for their refusal. */
const MOST_WAITING = 8;
const MOST_WAITING_IN_ALL = 64;
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
  /** Failures of all addresses that are not forgotten, at {@link SlowDown.#inAllMs}. */
  #inAll = 0;
  #inAllMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Notes a failure and waits as long as it costs; ends early if `signal` aborts.
   * @param hasBody Then it must not wait, as what has come of the body would wait with it.
   * @returns False, at once, if it must not wait or too many do already.
   */
  async failed(address: string, signal: AbortSignal, hasBody: boolean): Promise<boolean> {
    const nowMs = this.#clock.now();
    const record = this.#note(networkOf(address), nowMs);
    const beyond = Math.max(record.failures - FREE, this.#noteInAll(nowMs) - FREE_IN_ALL);
    if (beyond <= 0) return true;
    if (hasBody || record.waiting >= MOST_WAITING || this.#waiting >= MOST_WAITING_IN_ALL) return false;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(beyond - 1, 20), LONGEST_PAUSE_MS);
    record.waiting++;
    this.#waiting++;
    try {
      await this.#clock.sleepUntil(nowMs + pauseMs, signal);
    } finally {
      record.waiting--;
      this.#waiting--;
    }
    return true;
  }

  #note(address: string, nowMs: number): Record {
    let record = this.#records.get(address);
    if (record === undefined || nowMs - record.lastMs > FORGET_MS) {
      record = { failures: 0, waiting: record?.waiting ?? 0, lastMs: nowMs };
    }
    record.failures++;
    record.lastMs = nowMs;
    this.#records.delete(address);
    this.#records.set(address, record);
    if (this.#records.size > MOST_ADDRESSES) this.#records.delete(this.#records.keys().next().value as string);
    return record;
  }

  #noteInAll(nowMs: number): number {
    const forgotten = Math.max(0, nowMs - this.#inAllMs) / FORGET_ONE_MS;
    // Twice the free ones at most: when an attack ends, others have their free attempts again soon.
    this.#inAll = Math.min(Math.max(0, this.#inAll - forgotten) + 1, 2 * FREE_IN_ALL);
    this.#inAllMs = nowMs;
    return Math.floor(this.#inAll);
  }
}
