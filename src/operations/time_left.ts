/**
 * How long the rest of a queue takes.
 *
 * @module
 */

import { quantile, roundSeconds } from "../store/large/summary.ts";

/**
 * Between which times, ms, `open` jobs are done, if they take what others took: by the lower and the upper quartile of
 * these. Null where nothing is known.
 * @param durations How many took so long, s.
 */
export function timeLeft(
  durations: ReadonlyMap<number, number>,
  open: number,
  slots: number,
): [least: number, most: number] | null {
  const [least, most] = [quantile(durations, 0.25), quantile(durations, 0.75)];
  if (least === undefined || most === undefined || slots < 1) return null;
  const rounds = Math.ceil(open / slots);
  return [1000 * rounds * least, 1000 * rounds * most];
}

/** How many of some durations, ms, took so many seconds. */
export function countSeconds(durations: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const seconds of durations.map(roundSeconds)) counts.set(seconds, (counts.get(seconds) ?? 0) + 1);
  return counts;
}
