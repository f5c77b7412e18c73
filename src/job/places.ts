/**
 * Where a job may have left something besides the machine of its last attempt: the machines of its earlier tries, and
 * those of the jobs whose name it took over. Pure.
 *
 * @module
 */

import type { Job } from "./job.ts";
import { type Place, PLACES_LIMIT } from "./options.ts";

/**
 * The job as it was at each of these places, the latest first, one for each machine. A directory that two jobs of the
 * name had one after the other goes with the later attempt.
 */
export function earlierJobs(job: Job): Job[] {
  const { history, replaced } = job;
  if ((history ?? null) === null && (replaced ?? null) === null) return [];
  const own = job.attempt > 0 ? keyOf(job) : null;
  const tries = triesOf(job).filter((place) => keyOf(place) !== own);
  return oneForEachMachine([...tries, ...replaced ?? []]).map((place) => ({ ...job, ...place, boot: null }));
}

/** True if it may have left something anywhere. */
export function hasPlaces({ attempt, replaced }: Pick<Job, "attempt" | "replaced">): boolean {
  return attempt > 0 || (replaced ?? null) !== null;
}

/** What a job that takes over the name of this one has to know of; null if there is nothing. */
export function replacedBy(job: Job): Place[] | null {
  const { id, attempt, host, user } = job;
  const own = attempt > 0 && host !== null ? [{ id, attempt, host, user }] : [];
  const places = oneForEachMachine([...own, ...triesOf(job), ...job.replaced ?? []]).slice(0, PLACES_LIMIT);
  return places.length === 0 ? null : places;
}

function triesOf({ id, history }: Job): Place[] {
  const tries = (history ?? []).flatMap(({ attempt, host, user }) =>
    host === null ? [] : [{ id, attempt, host, user }]
  );
  return tries.reverse();
}

function oneForEachMachine(places: readonly Place[]): Place[] {
  const first = new Map<string, Place>();
  for (const place of places) if (!first.has(keyOf(place))) first.set(keyOf(place), place);
  return [...first.values()];
}

function keyOf({ user, host }: Pick<Job, "user" | "host">): string {
  return `${user ?? ""}@${host ?? ""}`;
}
