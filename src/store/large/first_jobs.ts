/**
 * The first jobs of a large queue: their entries from the begin of the file, and of the journal only what names them.
 * What it takes depends on neither the other jobs nor on how much was written since the last checkpoint.
 *
 * @module
 */

import { CmsError } from "../../errors.ts";
import type { Deps } from "../../deps.ts";
import type { Job } from "../../job/job.ts";
import type { JobName } from "../../names/grammar.ts";
import { codeOf } from "../../system_errors.ts";
import { type JournalRecord, subjectOf } from "../journal/journal.ts";
import { JournalFile } from "../journal/journal_file.ts";
import { type StorePaths, storePaths } from "../paths.ts";
import { applyRecord } from "../state/merge.ts";
import type { StoreRef } from "../store.ts";
import { parseJobs } from "../yaml/job_record.ts";
import { isAsWritten, SMALL_YAML_BYTES } from "./checkpoint_due.ts";
import { entryTexts } from "./find_entry.ts";

/** A checkpoint between two looks makes both files anew. */
const TRIES = 3;
/** So many are read, however few are wanted: of fewer the journal would not be read for the order. */
const LEAST = 100;

/** The first `count` jobs in file order; null if the queue is small, or if more has to be read to know them. */
export async function firstJobs(deps: Deps, ref: StoreRef, count: number): Promise<Job[] | null> {
  const paths = storePaths(ref, "queue");
  const journal = new JournalFile(deps.files, paths, ref.experiment);
  try {
    const stamp = await deps.files.stamp(paths.file);
    if (stamp === null || stamp.sizeBytes < SMALL_YAML_BYTES) return null;
    for (let i = 0; i < TRIES; i++) {
      const before = await deps.files.stamp(paths.file);
      const jobs = await read(deps, paths, ref, Math.max(count, LEAST));
      const records = await journal.readOf([...jobs.keys()]);
      const after = await deps.files.stamp(paths.file);
      // Without a lock, what was read counts if the file is still the same.
      if (records === null || !isAsWritten(journal.header, before) || !isAsWritten(journal.header, after)) continue;
      if (jobs.size < count || records.some((record) => isRewired(record, jobs))) return null;
      for (const record of records) if (jobs.has(subjectOf(record)!)) applyRecord(jobs, record);
      return [...jobs.values()].slice(0, count);
    }
    return null;
  } catch (error) {
    // Whoever reads it all says what is wrong.
    if (error instanceof CmsError || error instanceof TypeError || codeOf(error) !== "") return null;
    throw error;
  } finally {
    journal.close();
  }
}

async function read(deps: Deps, { file, shown }: StorePaths, ref: StoreRef, least: number): Promise<Map<JobName, Job>> {
  const jobs = new Map<JobName, Job>();
  for await (const text of entryTexts(deps.files, file)) {
    for (const [name, job] of parseJobs(text, { shown, experiment: ref.experiment })) jobs.set(name, job);
    if (jobs.size >= least) break;
  }
  return jobs;
}

/** True if other jobs may be the first after it. */
function isRewired(record: JournalRecord, jobs: ReadonlyMap<JobName, Job>): boolean {
  return record.type === "move" || (record.type === "delete" && jobs.has(record.job));
}
