/**
 * Jobs that need more than any host has free now, in groups of those that need the same: where the first of a group
 * does not fit, none behind it does. So one look at each group serves however many wait. Pure.
 *
 * @module
 */

import TinyQueue from "tinyqueue";
import type { JobName } from "../names/grammar.ts";

/** The groups. */
export class Parked {
  readonly #compare: (a: JobName, b: JobName) => number;
  readonly #groups = new Map<string, TinyQueue<JobName>>();
  readonly #keys = new Map<JobName, string>();
  /** Groups whose first does not fit; the others are looked at. */
  readonly #blocked = new Set<string>();

  constructor(compare: (a: JobName, b: JobName) => number) {
    this.#compare = compare;
  }

  /** How many jobs. */
  get size(): number {
    return this.#keys.size;
  }

  /** How many groups do not fit. */
  get blocked(): number {
    return this.#blocked.size;
  }

  has(name: JobName): boolean {
    return this.#keys.has(name);
  }

  isBlocked(key: string): boolean {
    return this.#blocked.has(key);
  }

  /** A job of this group does not fit now: it waits with the others of it. */
  park(name: JobName, key: string): void {
    this.#blocked.add(key);
    if (this.#keys.get(name) === key) return;
    this.#keys.set(name, key);
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, new TinyQueue([name], this.#compare));
    else group.push(name);
  }

  /** @returns False if it was not among them. */
  remove(name: JobName): boolean {
    return this.#keys.delete(name);
  }

  /** Something may be free now: the first of each group is looked at again. */
  open(): void {
    this.#blocked.clear();
  }

  clear(): void {
    this.#groups.clear();
    this.#keys.clear();
    this.#blocked.clear();
  }

  /** The first of each group. */
  firsts(): JobName[] {
    return [...this.#groups.keys()].flatMap((key) => this.#first(key) ?? []);
  }

  /** The first of each group, and how many it has. */
  groups(): [first: JobName, count: number][] {
    return [...this.#groups].flatMap(([key, group]) => {
      const first = this.#first(key);
      return first === null ? [] : [[first, group.length] as [JobName, number]];
    });
  }

  /** The first of all that are looked at; null for none. */
  head(): JobName | null {
    let head: JobName | null = null;
    for (const key of this.#groups.keys()) {
      const first = this.#blocked.has(key) ? null : this.#first(key);
      if (first !== null && (head === null || this.#compare(first, head) < 0)) head = first;
    }
    return head;
  }

  #first(key: string): JobName | null {
    const group = this.#groups.get(key);
    while (group !== undefined && group.length > 0 && this.#keys.get(group.peek()!) !== key) group.pop();
    if (group?.length === 0) this.#groups.delete(key);
    return group?.peek() ?? null;
  }
}
