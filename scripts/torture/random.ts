/**
 * Numbers that follow from a seed, as a campaign wants them.
 *
 * @module
 */

import { Random as Stream } from "../../src/simulation/random.ts";

/** A source of numbers; the same seed gives the same ones. */
export class Random extends Stream {
  /** A whole number, both ends included. */
  whole(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** One of a list, which is not empty. */
  one<T>(list: readonly T[]): T {
    return this.pick(list);
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
