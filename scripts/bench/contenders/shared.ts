/**
 * Several figures of one piece of work: each is a contender, and the first that is asked in a round does the work for
 * all.
 *
 * @module
 */

import type { Contender } from "../bench.ts";

/** Contenders of these names, which all come from `work`. */
export function sharedContenders<N extends string>(
  names: readonly N[],
  work: (round: number) => Promise<Readonly<Record<N, number>>>,
): Contender[] {
  const done = new Map<number, Promise<Readonly<Record<N, number>>>>();
  return names.map((name) => ({
    name,
    amount: 1,
    run: async (round) => {
      const figures = done.get(round) ?? work(round);
      done.set(round, figures);
      return (await figures)[name];
    },
  }));
}
