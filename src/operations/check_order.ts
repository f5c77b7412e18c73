/**
 * Refuses an order that cannot be: jobs that wait for one that is not in the queue, or for each other.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import { dependenciesOf, findCircle } from "../job/dependencies.ts";
import type { Job } from "../job/job.ts";
import { someNames } from "../names/some_names.ts";
import type { Jobs } from "../store/changes.ts";

/**
 * Looks at what jobs wait for that are about to be written.
 * @param verb What is done with them: `add`, `change`. @param jobs The queue as it is; what is in `made` counts in its
 * place.
 * @throws {InvalidError} If a name is not there, or the jobs wait for each other in a circle.
 */
export function refuseOrder(verb: string, made: readonly Job[], jobs: Jobs): void {
  const fresh = new Map(made.map((job) => [job.name, job]));
  const all = { get: (name: Job["name"]) => fresh.get(name) ?? jobs.get(name) };
  const missing = new Set<Job["name"]>();
  for (const job of made) for (const name of dependenciesOf(job)) if (all.get(name) === undefined) missing.add(name);
  if (missing.size > 0) {
    throw new InvalidError([`Cannot ${verb} a job after ${someNames([...missing])}: not in the queue`]);
  }
  const circle = findCircle(fresh.keys(), all);
  if (circle === null) return;
  throw new InvalidError([`Cannot ${verb} jobs that wait for each other: ${circleText(circle)}`]);
}

/** A circle as a line: `a after b after a`; of a long one its ends. */
export function circleText(circle: readonly string[]): string {
  const names = circle.length > 10 ? [...circle.slice(0, 5), "...", ...circle.slice(-4)] : circle;
  return names.join(" after ");
}
