/**
 * Numbers that follow from a seed.
 *
 * @module
 */

/** A source of numbers; the same seed gives the same ones. */
export class Random {
  #state: number;

  /** @param seed A whole number below 2^32. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000;
  }

  /** A whole number, both ends included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** A number between two. */
  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  /** One of a list, which is not empty. */
  one<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)]!;
  }

  /** One of a list by weight. */
  weighted<T extends { readonly weight: number }>(list: readonly T[]): T {
    let left = this.next() * list.reduce((sum, { weight }) => sum + weight, 0);
    for (const each of list) if ((left -= each.weight) < 0) return each;
    return list.at(-1)!;
  }

  /** A source of its own: what is taken from it changes nothing here. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 0x100000000));
  }
}
