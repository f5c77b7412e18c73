/**
 * Long work in pieces: between two there is room for whoever else waits in this process.
 *
 * @module
 */

import type { Clock } from "../deps.ts";

/** A piece of the work, and the rest after it, in which timers and sockets have their turn. */
const WORK_MS = 4;
const REST_MS = 2;

/** The rests of one piece of work. */
export class Rests {
  readonly #clock: Pick<Clock, "now" | "sleepUntil">;
  #sinceMs: number;

  /** The work begins now. */
  constructor(clock: Pick<Clock, "now" | "sleepUntil">) {
    this.#clock = clock;
    this.#sinceMs = clock.now();
  }

  /** Rests, if it is time. To be called after each part of a millisecond or so. */
  async take(): Promise<void> {
    if (this.#clock.now() - this.#sinceMs < WORK_MS) return;
    await this.#clock.sleepUntil(this.#clock.now() + REST_MS);
    this.#sinceMs = this.#clock.now();
  }
}
