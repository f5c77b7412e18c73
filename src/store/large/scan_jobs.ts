/**
 * Looks through a large queue for some of its jobs, in file order, and stops when it has enough: the first ten of
 * 100,000 must not cost 100,000, and those in one state need not all be kept.
 *
 * As for `named_jobs.ts`, the YAML must be as the program wrote it, and the journal whole: then all records apply. Each
 * job of the file that they name is taken as they leave it, and those that they add come after the file.
 *
 * @module
 */

import { CmsError } from "../../errors.ts";
import type { Deps } from "../../deps.ts";
import type { Job } from "../../job/job.ts";
import type { JobName } from "../../names/grammar.ts";
import { isAsWritten, SMALL_YAML_BYTES } from "./checkpoint_due.ts";
import { entryTexts } from "./find_entry.ts";
import { parseJobs } from "../yaml/job_record.ts";
import { type JournalRecord, subjectOf } from "../journal/journal.ts";
import { JournalFile } from "../journal/journal_file.ts";
import { applyRecord } from "../state/merge.ts";
import { codeOf } from "../../system_errors.ts";
import { type StorePaths, storePaths } from "../paths.ts";
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
  const paths = storePaths(ref, "queue");
  const journal = new JournalFile(deps.files, paths, ref.experiment);
  try {
    const stamp = await deps.files.stamp(paths.file);
    if (stamp === null || stamp.sizeBytes < SMALL_YAML_BYTES) return null;
    for (let i = 0; i < TRIES; i++) {
      const records = await journal.readAll();
      // The order is no more the file's.
      if (records.some(({ type }) => type === "move")) return null;
      const isStill = async () => isAsWritten(journal.header, await deps.files.stamp(paths.file));
      if (!await isStill()) continue;
      const found: Job[] = [];
      for await (const job of jobsOf(deps, paths, ref, records)) {
        if (found.length >= limit) break;
        if (keep(job)) found.push(job);
      }
      // Without a lock, what was read counts if the file is still the same.
      if (await isStill()) return found;
    }
    return null;
  } catch (error) {
    // Whoever reads it all says what is wrong.
    if (error instanceof CmsError || codeOf(error) !== "") return null;
    throw error;
  } finally {
    journal.close();
  }
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
