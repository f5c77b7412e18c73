/**
 * A backlog on a simulated host, in which prefetched jobs wait for a slot, as tickets: the state, the lock, and the
 * wrappers that take one ticket after the other. The order of steps is that of `src/agent/backlog.sh`. Whoever dies
 * while it has the lock takes it along.
 *
 * @module
 */

import type { Doing } from "./claims.ts";
import type { Host } from "./host.ts";
import { type HostProcess, type Steps, type Tell, UNTIL_WOKEN } from "./host_process.ts";
import { runWrapper, type StartWords } from "./wrapper.ts";

const PLACES = 128;

/** A call that waits, and where it reports what happens. */
interface Ticket {
  readonly start: StartWords;
  readonly tell: Tell;
}

/** One backlog. */
export class Backlog {
  readonly #host: Host;
  /** `on`: somebody may be let in. */
  isOn = true;
  /** Those that wait, in order. */
  readonly #tickets: Ticket[] = [];
  /** Numbers of free slots. */
  readonly #free: string[];
  /** The lock is free. */
  #isUnlocked = true;
  readonly #forLock: HostProcess[] = [];

  /** A backlog with these free slots. */
  constructor(host: Host, slots: readonly string[]) {
    this.#host = host;
    this.#free = [...slots];
  }

  *#lock(self: HostProcess): Doing<void> {
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

  /** `c_pass` under the lock: who is let in; null: the slot is free. */
  *#pass(self: HostProcess, slot: string): Doing<Ticket | null> {
    yield* this.#lock(self);
    const next = this.#tickets.shift() ?? null;
    if (next === null) this.#free.unshift(slot);
    yield 0;
    this.#unlock();
    return next;
  }

  /** These slots too. */
  *more(self: HostProcess, slots: readonly string[]): Doing<void> {
    for (const slot of slots) {
      const next = yield* this.#pass(self, slot);
      if (next !== null) this.#begin(next, slot);
    }
  }

  /** `c_over`. */
  over(): void {
    if (!this.isOn) return;
    this.isOn = false;
    this.#unlock();
  }

  /** `cms_queue`: starts it where a slot is free, else it waits. @returns False if there is no room. */
  *queue(self: HostProcess, start: StartWords, tell: Tell): Doing<boolean> {
    yield* this.#lock(self);
    const ticket = { start, tell: { ...tell, plus: "+" } };
    const slot = this.#free.shift();
    const hasRoom = slot !== undefined || (this.#tickets.length < PLACES && !this.#host.isFull);
    if (slot === undefined && hasRoom) this.#tickets.push(ticket);
    this.#unlock();
    if (slot !== undefined) this.#begin(ticket, slot);
    return hasRoom;
  }

  #begin(first: Ticket, slot: string): void {
    this.#host.spawn("wrapper", first.start.attempt, (self) => this.#chain(self, first, slot));
  }

  /** `c_chain`. */
  *#chain(self: HostProcess, first: Ticket, slot: string): Steps {
    for (let ticket: Ticket | null = first; ticket !== null;) {
      self.mark = ticket.start.attempt;
      yield* runWrapper(this.#host, self, { ...ticket.start, slot }, ticket.tell);
      yield 0;
      if (!this.isOn) return;
      ticket = yield* this.#pass(self, slot);
      if (!this.isOn) return;
    }
  }
}
