/**
 * Runs the contenders in turn: a warm-up that is not counted, then the rounds. Each round begins with another
 * contender, so that nobody always comes after the same one.
 *
 * @module
 */

import type { Contender, Measure } from "./bench.ts";
import { type Sample, valueOf } from "./statistics.ts";

/** How the rounds are run. */
export interface RoundsOptions {
  /** How many are counted. */
  readonly rounds: number;
  /** What the values are. */
  readonly measure: Measure;
  /** Called with each run; `round` is 0 in the warm-up. */
  readonly onSample?: (sample: Sample) => void;
  /** Called before each run; what it gives is noted with the sample. */
  readonly before?: () => Promise<number | null>;
  /** False leaves the warm-up out. */
  readonly warmUp?: boolean;
  /** Ends it between two runs. */
  readonly signal?: AbortSignal;
}

/** Runs them all. @returns The samples of the rounds from 1, in the order in which they were taken. */
export async function runRounds(contenders: readonly Contender[], options: RoundsOptions): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = options.warmUp === false ? 1 : 0; round <= options.rounds; round++) {
    for (const contender of inTurn(contenders, round)) {
      options.signal?.throwIfAborted();
      const others = await options.before?.() ?? null;
      const ms = await contender.run(round);
      const value = valueOf(options.measure, contender, ms);
      const sample = { contender: contender.name, round, ms, value, others };
      options.onSample?.(sample);
      if (round > 0) samples.push(sample);
    }
  }
  return samples;
}

function inTurn<T>(all: readonly T[], round: number): readonly T[] {
  const first = all.length === 0 ? 0 : round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}
