/**
 * Brings the jobs in memory to what was read: same records where nothing changed, ids for jobs that have none of their
 * own, and a note of every difference.
 *
 * @module
 */

import type { Ids } from "../../deps.ts";
import type { JobName } from "../../names/grammar.ts";
import type { Job } from "../../job/job.ts";
import { equalJobs } from "../yaml/job_record.ts";
import type { ChangeGatherer } from "./external_changes.ts";

/**
 * Gives each job whose id is missing, or is an earlier job's (the original program gave all jobs of a call the same),
 * an id of its own. `provisional` holds such jobs with the id that the files have; it is brought up to date.
 */
export function ownIds(
  read: Map<JobName, Job>,
  present: Map<JobName, Job>,
  provisional: Map<JobName, string>,
  ids: Ids,
): void {
  const seen = new Set<string>();
  // Whose id it is known to be keeps it, wherever a copy of the entry stands.
  const owners = new Map<string, JobName>();
  for (const [name, { id }] of read) if (id !== "" && present.get(name)?.id === id) owners.set(id, name);
  const kept = new Set(provisional.keys());
  provisional.clear();
  for (const [name, job] of read) {
    if (job.id !== "" && !seen.has(job.id) && (owners.get(job.id) ?? name) === name) {
      seen.add(job.id);
      const before = kept.has(name) ? present.get(name) : undefined;
      // Somebody wrote an id for a job that had none: it is still the same job.
      if (before !== undefined) present.set(name, { ...before, id: job.id });
      continue;
    }
    provisional.set(name, job.id);
    const id = (kept.has(name) ? present.get(name)?.id : undefined) ?? ids.hex(16);
    seen.add(id);
    read.set(name, { ...job, id });
  }
}

/** Makes `present` hold exactly `read`, in its order, and gives `external` each difference. */
export function reconcileJobs(
  read: ReadonlyMap<JobName, Job>,
  present: Map<JobName, Job>,
  external: ChangeGatherer,
): void {
  const old = new Map(present);
  external.compareOrder(old.keys(), read);
  present.clear();
  for (const [name, job] of read) {
    const before = old.get(name);
    const same = before !== undefined && equalJobs(before, job);
    // Keeping the record keeps what else is known of it, such as its text in the file.
    present.set(name, same ? before : job);
    if (!same) external.touch(name, before);
  }
  for (const [name, before] of old) if (!read.has(name)) external.touch(name, before);
}
