/**
 * Moves jobs in the order of a queue. Pure.
 *
 * @module
 */

import type { JobName } from "../../names/grammar.ts";

/**
 * Puts jobs right before another, in the order that is given; null: at the end. Names that are not there are passed
 * over. Where the other one is not there, or is one of them, nothing moves: a person deleted it meanwhile.
 */
export function moveJobs<T>(jobs: Map<JobName, T>, names: readonly JobName[], before: JobName | null): void {
  const moved = new Set(names.filter((name) => jobs.has(name)));
  if (moved.size === 0 || (before !== null && (!jobs.has(before) || moved.has(before)))) return;
  const entries = [...jobs];
  const values = new Map([...moved].map((name) => [name, jobs.get(name)!]));
  jobs.clear();
  const putMoved = (): void => {
    for (const [name, job] of values) jobs.set(name, job);
  };
  for (const [name, job] of entries) {
    if (name === before) putMoved();
    if (!moved.has(name)) jobs.set(name, job);
  }
  if (before === null) putMoved();
}
