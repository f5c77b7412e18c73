/**
 * A look ahead at the jobs that are to be considered next. Only so many are looked at: behind the last of them there
 * may be 100,000 that wait for others. Pure.
 *
 * @module
 */

import { hasDependencies } from "../job/dependencies.ts";
import type { Job } from "../job/job.ts";
import { hasNeeds } from "../job/needs.ts";
import { isWaiting } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import type { Jobs } from "../store/changes.ts";
import type { Candidates } from "./candidates.ts";

/** How many jobs are looked at for each that {@link upcoming} is asked for. */
const LOOKS_FOR_EACH = 4;

/** The next `count` jobs at most that are to be considered, wait, and wait for nothing else. */
export function upcoming(candidates: Candidates, jobs: Jobs, count: number): Job[] {
  const found: Job[] = [];
  for (const name of candidates.order.behind(LOOKS_FOR_EACH * count)) {
    if (found.length >= count) break;
    const job = openJob(candidates, jobs, name);
    if (job !== null && !hasDependencies(job) && !hasNeeds(job)) found.push(job);
  }
  return found;
}

/** The next jobs of the list, so many at most, then all that came back: those that wait. Parked ones are neither. */
export function* ahead(candidates: Candidates, jobs: Jobs, most: number): Iterable<Job> {
  for (const name of [...candidates.order.behind(most), ...candidates.order.back]) {
    const job = openJob(candidates, jobs, name);
    if (job !== null) yield job;
  }
}

function openJob(candidates: Candidates, jobs: Jobs, name: JobName): Job | null {
  const job = jobs.get(name);
  const isOpen = job !== undefined && candidates.isOpen(name) && isWaiting(job.status) && job.hold !== true;
  return isOpen ? job : null;
}
