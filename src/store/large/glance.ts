/**
 * Looks at a large queue without reading all of it: what its jobs come to, or one job with those around it.
 *
 * As for `named_jobs.ts`, the YAML must be as the program wrote it, and the journal whole: then the journal's first
 * line has the summary of the YAML's jobs, and all records apply. Anything else is left to who reads all of it.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import { dependenciesOf, hasDependencies, isDependencyField } from "../../job/dependencies.ts";
import type { Job } from "../../job/job.ts";
import { isInFlight, isWaiting } from "../../job/states.ts";
import type { JobName } from "../../names/grammar.ts";
import type { Jobs } from "../changes.ts";
import { type JournalRecord, subjectOf } from "../journal/journal.ts";
import { applyRecord } from "../state/merge.ts";
import type { StoreRef } from "../store.ts";
import { parseJobs } from "../yaml/job_record.ts";
import { findEntries, findEntriesWith, searchFor } from "./find_entry.ts";
import { AGAIN, lookAtLarge } from "./large_look.ts";
import type { Summary } from "./summary.ts";
import { readSummary } from "./summary_text.ts";

/** A checkpoint between two looks makes both anew. */
const TRIES = 3;
/** Jobs that wait for one; of more, reading all is as fast. */
const MOST_LISTING = 512;
/** Jobs that wait for others, and those that they wait for; of more, reading all is as fast. */
const MOST_DEPENDENT = 2_048;

/** What a queue's jobs come to, and those in flight. */
export interface Sum {
  readonly summary: Summary;
  readonly inFlight: readonly Job[];
  /** Jobs that wait, are not held, and come after others; null where they are too many. */
  readonly dependent: readonly Job[] | null;
  /** Those that they wait for, and perhaps others. */
  readonly parents: Jobs;
}

/** What all jobs come to; null if it can only be known from all of them. */
export function glanceSum(deps: Deps, ref: StoreRef): Promise<Sum | null> {
  return glance(deps, ref, async ({ records, summaryText, find, findDependent }) => {
    const summary = readSummary(summaryText, ref.experiment);
    if (summary === null) return null;
    const unknown = unknownIn(records);
    const before = unknown.size === 0 ? new Map<JobName, Job>() : await find([...unknown], null);
    if (before === null || before.size !== unknown.size) return null;
    const after = new Map(before);
    for (const record of records) take(after, record, (job) => void before.set(job.name, job));
    for (const job of before.values()) summary.remove(job);
    for (const job of after.values()) summary.add(job);
    const inFlight = [...after.values()].filter(({ status }) => isInFlight(status));
    if (summary.dependent === 0) return { summary, inFlight, dependent: [], parents: after };
    const touched = new Set(records.map(subjectOf));
    const unchanged = summary.dependent > MOST_DEPENDENT ? null : await findDependent();
    const dependent = [...(unchanged ?? []).filter(({ name }) => !touched.has(name)), ...after.values()]
      .filter((job) => isWaiting(job.status) && job.hold !== true && hasDependencies(job));
    const names = new Set(dependent.flatMap(dependenciesOf).filter((name) => !touched.has(name)));
    const isFew = dependent.length === summary.dependent && names.size <= MOST_DEPENDENT;
    const parents = isFew ? await find([...names], null) : null;
    if (parents === null) return { summary, inFlight, dependent: null, parents: after };
    return { summary, inFlight, dependent, parents: new Map([...parents, ...after]) };
  });
}

/**
 * One job, those that it waits for, those in flight, with `neededBy` also those that wait for it, in file order, and
 * perhaps others. null if they can only be known from all jobs.
 */
export function glanceJob(
  deps: Deps,
  ref: StoreRef,
  name: JobName,
  { neededBy }: { neededBy: boolean },
): Promise<Jobs | null> {
  return glance(deps, ref, async ({ records, find }) => {
    if (neededBy && records.some(isRewired)) return null;
    const jobs = await find([name], neededBy ? name : null);
    if (jobs === null) return null;
    for (const record of records) take(jobs, record);
    const job = jobs.get(name);
    const others = job === undefined ? [] : dependenciesOf(job).filter((other) => !jobs.has(other));
    if (others.length === 0) return jobs;
    const parents = await find(others, null);
    if (parents === null) return null;
    for (const record of records) if (parents.has(subjectOf(record)!)) take(parents, record);
    return new Map([...jobs, ...parents]);
  });
}

/** What a look has before it. */
interface View {
  readonly records: readonly JournalRecord[];
  readonly summaryText: unknown;
  /** Jobs of the YAML: of these names, and those that have `listed` in a list; null if they are too many. */
  find(names: readonly JobName[], listed: JobName | null): Promise<Map<JobName, Job> | null>;
  /** Jobs of the YAML that wait and come after others; null if they are too many. */
  findDependent(): Promise<Job[] | null>;
}

async function glance<T>(deps: Deps, ref: StoreRef, look: (view: View) => Promise<T | null>): Promise<T | null> {
  const { files } = deps;
  return await lookAtLarge(deps, ref, TRIES, async ({ paths: { file, shown }, journal, isStill }) => {
    const parsed = (entries: readonly Uint8Array[]): Map<JobName, Job> => {
      const decoder = new TextDecoder();
      const at = { shown, experiment: ref.experiment };
      return new Map(entries.flatMap((bytes) => [...parseJobs(decoder.decode(bytes), at)]));
    };
    const find: View["find"] = async (names, listed) => {
      const found = await findEntries(files, file, { names, listed, most: MOST_LISTING });
      return found === null ? null : parsed([...found.listing, ...found.named]);
    };
    const findDependent: View["findDependent"] = async () => {
      const found = await findEntriesWith(files, file, { text: "\n  after", keep: mayWait, most: MOST_DEPENDENT });
      return found === null ? null : [...parsed(found).values()];
    };
    const records = await journal.readAll();
    const summaryText = journal.header?.written?.summary;
    if (!await isStill()) return AGAIN;
    const seen = await look({ records, summaryText, find, findDependent });
    return seen === null || await isStill() ? seen : AGAIN;
  });
}

const STATES = ["undefined", "ready"].map((state) => searchFor(new TextEncoder().encode(`\n  status: ${state}\n`)));

/** False for the entry of a job that does not wait. */
function mayWait(entry: Uint8Array): boolean {
  return STATES.some((search) => search(entry) >= 0);
}

/** Jobs of the YAML that records change, and that no record has as a whole. */
function unknownIn(records: readonly JournalRecord[]): Set<JobName> {
  const seen = new Set<JobName>();
  const unknown = new Set<JobName>();
  for (const record of records) {
    const name = subjectOf(record);
    if (name === null || seen.has(name)) continue;
    seen.add(name);
    const isNew = record.type === "put" && record.was === null;
    const isWhole = record.type === "set" && record.whole !== null;
    if (!isNew && !isWhole) unknown.add(name);
  }
  return unknown;
}

/** Applies a record to some jobs. `onKnown`: is given a job of the YAML that this record is the first to have whole. */
function take(jobs: Map<JobName, Job>, record: JournalRecord, onKnown: (job: Job) => void = () => {}): void {
  if (record.type === "move") return;
  if (record.type === "set" && record.whole !== null && !jobs.has(record.job)) {
    onKnown(record.whole);
    jobs.set(record.job, record.whole);
  }
  applyRecord(jobs, record);
}

/** True if the record changes what comes after what, or the order of jobs. */
function isRewired(record: JournalRecord): boolean {
  return record.type === "move" || (record.type === "set" && Object.keys(record.fields).some(isDependencyField));
}
