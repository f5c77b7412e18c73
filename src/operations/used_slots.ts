/**
 * How many slots jobs in flight have. A run sends some ahead, which wait on their host for a slot; what is known of
 * them is that they were sent. Pure.
 *
 * @module
 */

import type { Job } from "../job/job.ts";

/** Slots of one place that these have; of those that were sent, as many as there is room for. */
export function usedSlots(jobs: Iterable<Pick<Job, "status" | "slots">>, capacity: number | null): number {
  let started = 0;
  let sent = 0;
  for (const job of jobs) {
    if (job.status === "start") started += job.slots ?? 1;
    else sent += job.slots ?? 1;
  }
  return capacity === null ? started + sent : Math.max(started, Math.min(capacity, started + sent));
}

/** How many of so many jobs in flight run, on so many slots; null for any number of them. */
export function runningJobs(counts: Readonly<Record<"run" | "start", number>>, slots: number | null): number {
  const { run, start } = counts;
  return slots === null ? start + run : Math.max(start, Math.min(slots, start + run));
}
