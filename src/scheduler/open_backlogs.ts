/**
 * The backlogs that there are, in the order in which they were opened, and those of each machine. Pure bookkeeping.
 *
 * @module
 */

import type { Backlog } from "./in_flight.ts";

/** All of them. */
export class OpenBacklogs implements Iterable<Backlog> {
  readonly #all = new Set<Backlog>();
  readonly #byMachine = new Map<string, Set<Backlog>>();

  add(backlog: Backlog): void {
    this.#all.add(backlog);
    const { machine } = backlog.pool;
    const there = this.#byMachine.get(machine);
    if (there === undefined) this.#byMachine.set(machine, new Set([backlog]));
    else there.add(backlog);
  }

  /** @returns False if it is not there. */
  delete(backlog: Backlog): boolean {
    const { machine } = backlog.pool;
    const there = this.#byMachine.get(machine);
    there?.delete(backlog);
    if (there?.size === 0) this.#byMachine.delete(machine);
    return this.#all.delete(backlog);
  }

  /** Those of a machine. */
  on(machine: string): Backlog[] {
    return [...this.#byMachine.get(machine) ?? []];
  }

  [Symbol.iterator](): Iterator<Backlog> {
    return this.#all.values();
  }
}
