/**
 * A line on a simulated host, in which jobs that were sent ahead wait for a slot: the state, the lock and the fifos of
 * `src/agent/start.sh`, with the same order of steps. Whoever dies while it has the lock takes it along.
 *
 * @module
 */

import type { Doing } from "./claims.ts";
import { type Host, type HostProcess, type Steps, UNTIL_WOKEN } from "./host.ts";
import { runWrapper, type StartWords, type Tell } from "./wrapper.ts";

const PLACES = 128;

/** One line. */
export class Line {
  readonly #host: Host;
  /** `on`: somebody may be let in. */
  isOn = true;
  /** Next ticket to be let in, next ticket to be given out, free slots. */
  #next = 0;
  #out = 0;
  #free: number;
  /** The fifo `l` holds its line. */
  #isUnlocked = true;
  readonly #forLock: HostProcess[] = [];
  /** What was written into the fifos 0 to 127, and who reads there. */
  readonly #told: number[] = Array.from({ length: PLACES }, () => 0);
  readonly #readers: HostProcess[][] = Array.from({ length: PLACES }, () => []);

  constructor(host: Host, slots: number) {
    this.#host = host;
    this.#free = slots;
  }

  /** `c_lock`. */
  *lock(self: HostProcess): Doing<void> {
    while (!this.#isUnlocked) {
      this.#forLock.push(self);
      yield UNTIL_WOKEN;
    }
    this.#isUnlocked = false;
    yield 0;
  }

  #unlock(): void {
    this.#isUnlocked = true;
    for (const process of this.#forLock.splice(0)) this.#host.wake(process);
  }

  #tell(ticket: number): void {
    const place = ticket % PLACES;
    this.#told[place]!++;
    for (const process of this.#readers[place]!.splice(0)) this.#host.wake(process);
  }

  /** `c_free`, for so many slots, under the lock. */
  *more(self: HostProcess, slots: number): Doing<void> {
    yield* this.lock(self);
    for (let i = 0; i < slots; i++) {
      if (this.#next < this.#out) this.#tell(this.#next++);
      else this.#free++;
    }
    yield 0;
    this.#unlock();
  }

  /** `c_over`. */
  over(): void {
    if (!this.isOn) return;
    this.isOn = false;
    while (this.#next < this.#out) this.#tell(this.#next++);
    this.#unlock();
  }

  /** `cms_queue`: takes a ticket. @returns `go`: it has a slot; a number: its place in the line; null: there is no room. */
  *ticket(self: HostProcess): Doing<"go" | number | null> {
    yield* this.lock(self);
    let result: "go" | number | null;
    if (this.#free > 0) {
      result = "go";
      this.#free--;
      this.#next++;
    } else if (this.#out - this.#next >= PLACES) result = null;
    else result = this.#out % PLACES;
    if (result !== null) this.#out++;
    this.#unlock();
    return result;
  }

  /** `c_turn`: waits for its turn, runs, gives the slot to the next. */
  *turn(self: HostProcess, place: "go" | number, start: StartWords, tell: Tell): Steps {
    if (place !== "go") {
      while (this.#told[place] === 0) {
        this.#readers[place]!.push(self);
        yield UNTIL_WOKEN;
      }
      this.#told[place]!--;
    }
    yield 0;
    if (!this.isOn) return;
    yield* runWrapper(this.#host, self, start, { ...tell, plus: "+" });
    yield 0;
    if (this.isOn) yield* this.more(self, 1);
  }
}
