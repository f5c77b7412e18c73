/**
 * What a figure is set against where no program is: the time that arithmetic gives.
 *
 * @module
 */

import type { Contender } from "../bench.ts";

/** Takes so many milliseconds each time, without doing anything. */
export function fixedContender(name: string, amount: number, ms: number): Contender {
  return { name, amount, run: () => Promise.resolve(ms) };
}
