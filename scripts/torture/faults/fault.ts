/**
 * What a fault is.
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { World } from "../world.ts";

/** One kind of fault, or of use. */
export interface Fault {
  /** As the table names it. */
  readonly name: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  /** Chooses to whom and for how long. Takes all its numbers from `random` before it is begun. */
  plan(world: World, random: Random): PlannedFault;
}

/** A fault that is about to happen. */
export interface PlannedFault {
  /** For the reader. */
  readonly text: string;
  /** What it has for itself while it lasts: others that need the same wait. */
  readonly needs: readonly string[];
  /** Does it and undoes it. @returns What became of it, in a few words, for the table. */
  run(): Promise<string>;
}

/** Lets some time pass: faults last as long as the seed says. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Milliseconds for the reader. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
