/**
 * The first jobs of a large queue: their entries from the begin of the file, and of the journal only what names them.
 * What it takes depends on neither the other jobs nor on how much was written since the last checkpoint.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import type { Job } from "../../job/job.ts";
import type { JobName } from "../../names/grammar.ts";
import { type JournalRecord, subjectOf } from "../journal/journal.ts";
import type { StorePaths } from "../paths.ts";
import { applyRecord } from "../state/merge.ts";
import type { StoreRef } from "../store.ts";
import { parseJobs } from "../yaml/job_record.ts";
import { isAsWritten } from "./checkpoint_due.ts";
import { entryTexts } from "./find_entry.ts";
import { AGAIN, lookAtLarge } from "./large_look.ts";

/** A checkpoint between two looks makes both files anew. */
const TRIES = 3;
/** So many are read, however few are wanted: of fewer the journal would not be read for the order. */
const LEAST = 100;

/** The first `count` jobs in file order; null if the queue is small, or if more has to be read to know them. */
export async function firstJobs(deps: Deps, ref: StoreRef, count: number): Promise<Job[] | null> {
  return await lookAtLarge(deps, ref, TRIES, async ({ paths, journal, isStill }) => {
    const before = await deps.files.stamp(paths.file);
    const jobs = await read(deps, paths, ref, Math.max(count, LEAST));
    const records = await journal.readOf([...jobs.keys()]);
    if (records === null || !isAsWritten(journal.header, before) || !await isStill()) return AGAIN;
    if (jobs.size < count || records.some((record) => isRewired(record, jobs))) return null;
    for (const record of records) if (jobs.has(subjectOf(record)!)) applyRecord(jobs, record);
    return [...jobs.values()].slice(0, count);
  });
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
