/**
 * How long the rest of a queue takes.
 *
 * @module
 */

import type { Job } from "../job/job.ts";
import { quantile, roundSeconds } from "../store/large/summary.ts";

/**
 * Between which times, ms, `open` jobs are done, if they take what others took: by the lower and the upper quartile of
 * these. Null where nothing is known.
 * @param durations How many took so long, s.
 */
export function timeLeft(
  durations: ReadonlyMap<number, number>,
  { open, slots, running }: { open: number; slots: number; running: readonly number[] },
): [least: number, most: number] | null {
  const [least, most] = [quantile(durations, 0.25), quantile(durations, 0.75)];
  if (least === undefined || most === undefined || slots < 1) return null;
  const rounds = Math.ceil(open / slots);
  // Most of those that run have taken longer than those that are over: these say too little.
  const usual = quantile(countSeconds(running), 0.5) ?? 0;
  return [1000 * rounds * Math.max(least, usual), 1000 * rounds * Math.max(most, usual)];
}

/** How long jobs have run so far, ms; of those of which that is known. */
export function elapsed(jobs: Iterable<Job>, nowMs: number): number[] {
  const all: number[] = [];
  for (const { status, started } of jobs) {
    if (status === "start" && started !== null) all.push(Math.max(0, nowMs - Date.parse(started)));
  }
  return all;
}

/** How many of some durations, ms, took so many seconds. */
export function countSeconds(durations: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const seconds of durations.map(roundSeconds)) counts.set(seconds, (counts.get(seconds) ?? 0) + 1);
  return counts;
}
