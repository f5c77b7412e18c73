/**
 * Looks through a large queue for some of its jobs, in file order, and stops when it has enough: the first ten of
 * 100,000 must not cost 100,000, and those in one state need not all be kept.
 *
 * As for `named_jobs.ts`, the YAML must be as the program wrote it, and the journal whole: then all records apply. Each
 * job of the file that they name is taken as they leave it, and those that they add come after the file.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import type { Job } from "../../job/job.ts";
import type { JobName } from "../../names/grammar.ts";
import { entryTexts } from "./find_entry.ts";
import { AGAIN, lookAtLarge } from "./large_look.ts";
import { parseJobs } from "../yaml/job_record.ts";
import { type JournalRecord, subjectOf } from "../journal/journal.ts";
import { applyRecord } from "../state/merge.ts";
import type { StorePaths } from "../paths.ts";
import type { StoreRef } from "../store.ts";

/** A checkpoint between two looks makes both anew. */
const TRIES = 2;

/** The first `limit` jobs that `keep` takes; null if the queue is small, or can only be read as a whole. */
export async function scanJobs(
  deps: Deps,
  ref: StoreRef,
  keep: (job: Job) => boolean,
  limit: number,
): Promise<Job[] | null> {
  return await lookAtLarge(deps, ref, TRIES, async ({ paths, journal, isStill }) => {
    const records = await journal.readAll();
    // The order is no more the file's.
    if (records.some(({ type }) => type === "move")) return null;
    if (!await isStill()) return AGAIN;
    const found: Job[] = [];
    for await (const job of jobsOf(deps, paths, ref, records)) {
      if (found.length >= limit) break;
      if (keep(job)) found.push(job);
    }
    return await isStill() ? found : AGAIN;
  });
}

async function* jobsOf(
  deps: Deps,
  paths: StorePaths,
  ref: StoreRef,
  records: readonly JournalRecord[],
): AsyncGenerator<Job> {
  const named = byName(records);
  const inFile = new Set<JobName>();
  for await (const text of entryTexts(deps.files, paths.file)) {
    for (const job of parseJobs(text, { shown: paths.shown, experiment: ref.experiment }).values()) {
      const own = named.get(job.name);
      if (own === undefined) {
        yield job;
        continue;
      }
      inFile.add(job.name);
      // One that is made anew after that stands at the end.
      if (own.some(({ type }) => type === "delete")) continue;
      const state = new Map([[job.name, job]]);
      for (const record of own) applyRecord(state, record);
      yield state.get(job.name)!;
    }
  }
  const added = new Map<JobName, Job>();
  for (const record of records) {
    const name = subjectOf(record);
    if (name !== null && !inFile.has(name)) applyRecord(added, record);
    else if (record.type === "delete") inFile.delete(record.job);
  }
  yield* added.values();
}

function byName(records: readonly JournalRecord[]): Map<JobName, JournalRecord[]> {
  const named = new Map<JobName, JournalRecord[]>();
  for (const record of records) {
    const name = subjectOf(record);
    if (name === null) continue;
    const own = named.get(name);
    if (own === undefined) named.set(name, [record]);
    else own.push(record);
  }
  return named;
}
