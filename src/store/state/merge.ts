/**
 * The state of a queue as a pure function of its YAML and its journal, so that every process that reads both comes to
 * the same.
 *
 * 1. The YAML is what the journal's header names: all records apply.
 * 2. The YAML is what a `fold` record names (a crash between the two writes of a checkpoint): the records that it does
 *    not hold apply.
 * 3. Otherwise a person edited the YAML. Then, record by record, in order:
 *    - `set`: a field is set if the present value is what it was before the record, or what the record makes it. Else
 *      the person's value stays. `attempt` takes the larger one. Nothing is set if the job is not there (the person
 *      deleted it) or is another one by its id.
 *    - `put`: a new job is appended if its name is free. A job that replaced another does so if that other one is still
 *      there (by its id); if the name is gone the person deleted it. An entry with the record's own id is a later form
 *      of it and stays.
 *    - `delete`: the job goes if its id is the record's.
 *    - `move`: those of its jobs that are there are moved, if the one that they go before is still there.
 *    At the end, jobs that the journal knows to be in flight (`run`, `start`) get the journal's values of
 *    {@link FLIGHT_FIELDS} whatever the person wrote, and come back (at the end) if the person deleted them, each with
 *    a warning. Records that say so go before the next ones, so that it stays so when these jobs have ended.
 *
 * The order of jobs is the YAML's; new ones stand at the end, until a `move`. For rule 3 to know jobs in flight, every
 * `set` that brings one there carries the whole job, and a new journal begins with such a record (that changes
 * nothing) for each job in flight.
 *
 * @module
 */

import type { JobName } from "../../names/grammar.ts";
import { type Job, type JobFields, placeOf } from "../../job/job.ts";
import { isInFlight, isWaiting } from "../../job/states.ts";
import type { Change } from "../changes.ts";
import { equalJobs, equalValues } from "../yaml/job_record.ts";
import { moveJobs } from "./move_jobs.ts";
import type { JournalHeader, JournalRecord } from "../journal/journal.ts";
import { recordsOf } from "../journal/journal_records.ts";

/** What a person cannot change while a job is in flight. */
export const FLIGHT_FIELDS = [
  "id",
  "status",
  "host",
  "user",
  "pid",
  "attempt",
  "exit_code",
  "started",
  "ended",
  "boot",
  "slot",
  "gpus",
  "cpus",
  "memory",
  "slots",
  "devices",
] as const satisfies readonly (keyof JobFields)[];

/** State of a queue. */
export interface Merged {
  /** In file order. */
  readonly jobs: Map<JobName, Job>;
  /** True if the YAML does not say the same as `jobs`. */
  readonly differs: boolean;
  /** Edits that were not taken, one line each. */
  readonly warnings: readonly string[];
  /** What the YAML says by itself, if a person edited it since the journal was begun. */
  readonly file: ReadonlyMap<JobName, Job> | null;
  /** Records that say what was not taken: until they are in the journal it is so only while the jobs are in flight. */
  readonly kept: readonly JournalRecord[];
}

/** True if `saved`, an entry of an edited file, is the same job as it was earlier: no edit, but an older text. */
export function isStale(saved: Job, ours: Job): boolean {
  if (saved.attempt !== ours.attempt) return saved.attempt < ours.attempt;
  if (isWaiting(saved.status)) return false; // It is to run again.
  if (isInFlight(saved.status) && !isInFlight(ours.status)) return true;
  return saved.pid !== ours.pid || saved.started !== ours.started || saved.ended !== ours.ended;
}

/** True if the record changes a job (and does not merely say that it is in flight). */
export function hasEffect(record: JournalRecord): boolean {
  if (record.type === "put" || record.type === "delete" || record.type === "move") return true;
  if (record.type !== "set") return false;
  const { fields, was } = record;
  return (Object.keys(fields) as (keyof JobFields)[]).some((field) => !equalValues(fields[field], was[field]));
}

/** Applies a record as it stands. */
export function applyRecord(jobs: Map<JobName, Job>, record: JournalRecord): void {
  if (record.type === "put") jobs.set(record.job.name, record.job);
  if (record.type === "delete") jobs.delete(record.job);
  if (record.type === "move") moveJobs(jobs, record.jobs, record.before);
  if (record.type !== "set") return;
  const job = jobs.get(record.job);
  if (job !== undefined) jobs.set(record.job, { ...job, ...record.fields });
}

/**
 * The state of a queue. Takes `jobs` over and changes it.
 * @param yaml What the YAML holds, and its hash. @param journal null if there is none.
 */
export function mergeState(
  yaml: { jobs: Map<JobName, Job>; hash: string },
  journal: { header: JournalHeader; records: readonly JournalRecord[] } | null,
): Merged {
  const { jobs, hash } = yaml;
  if (journal === null) return { jobs, differs: false, warnings: [], file: null, kept: [] };
  const { header, records } = journal;
  const held = header.yaml === hash ? 0 : heldBy(hash, records);
  if (held !== null) {
    const rest = records.slice(held);
    for (const record of rest) applyRecord(jobs, record);
    return { jobs, differs: rest.some(hasEffect), warnings: [], file: null, kept: [] };
  }
  const before = new Map(jobs);
  for (const record of records) mergeRecord(jobs, record);
  const { warnings, kept } = keepFlights(jobs, before, records);
  const saved = before.keys();
  const differs = jobs.size !== before.size || [...jobs].some(([name, job]) => {
    const old = before.get(name);
    return saved.next().value !== name || old === undefined || !equalJobs(old, job);
  });
  return { jobs, differs, warnings, file: before, kept };
}

/** How many of the records the YAML of this hash holds; null if no `fold` record names it. */
function heldBy(hash: string, records: readonly JournalRecord[]): number | null {
  const at = records.findLastIndex((record) => record.type === "fold" && record.yaml === hash);
  const fold = records[at];
  return fold?.type === "fold" ? fold.records ?? at : null;
}

/** Applies a record to an edited queue. @returns What of it counts; null if nothing does. */
export function mergeRecord(jobs: Map<JobName, Job>, record: JournalRecord): JournalRecord | null {
  if (record.type === "put") {
    const present = jobs.get(record.job.name);
    const isFree = present === undefined
      ? record.was === null
      : present.id !== record.job.id && present.id === record.was;
    if (isFree) jobs.set(record.job.name, record.job);
    return isFree ? record : null;
  } else if (record.type === "delete") {
    return jobs.get(record.job)?.id === record.id && jobs.delete(record.job) ? record : null;
  } else if (record.type === "set") {
    const present = jobs.get(record.job);
    if (present?.id !== record.id) return null;
    const taken = Object.entries(record.fields).filter(([field, value]) => {
      const now = present[field as keyof JobFields];
      if (field === "attempt") return Number(value) > Number(now);
      return equalValues(now, record.was[field as keyof JobFields]) || equalValues(now, value);
    });
    const fields = Object.fromEntries(taken) as JobFields;
    jobs.set(record.job, { ...present, ...fields });
    return taken.length > 0 ? { ...record, fields } : null;
  }
  if (record.type === "move") moveJobs(jobs, record.jobs, record.before);
  return record.type === "kill" || record.type === "move" ? record : null;
}

/** The journal's own view of the jobs that it knows as a whole. */
function viewOf(records: readonly JournalRecord[]): Map<JobName, Job> {
  const view = new Map<JobName, Job>();
  for (const record of records) {
    if (record.type === "set" && record.whole !== null) view.set(record.job, record.whole);
    applyRecord(view, record);
  }
  return view;
}

function keepFlights(
  jobs: Map<JobName, Job>,
  before: Map<JobName, Job>,
  records: readonly JournalRecord[],
): { warnings: string[]; kept: JournalRecord[] } {
  const warnings: string[] = [];
  const changes: Change[] = [];
  for (const [name, ours] of viewOf(records)) {
    if (!isInFlight(ours.status)) continue;
    const where = placeOf(ours);
    const present = jobs.get(name);
    if (present === undefined) {
      changes.push({ type: "put", job: ours });
      warnings.push(`Job ${name} was not deleted by the edit of the file: it runs on ${where}`);
      continue;
    }
    const kept = FLIGHT_FIELDS.filter((field) => !equalValues(present[field], ours[field]));
    if (kept.length === 0) continue;
    changes.push({
      type: "set",
      job: name,
      fields: Object.fromEntries(kept.map((field) => [field, ours[field] ?? null])),
    });
    const edited = kept.filter((field) =>
      !knownValues(name, field, records).some((v) => equalValues(v, before.get(name)?.[field]))
    );
    const saved = before.get(name);
    // An older text has what once was; `end` of an attempt that never was is a wish.
    const isOlder = saved !== undefined && isStale(saved, ours) && (saved.attempt > 0 || isWaiting(saved.status));
    if (edited.length > 0 && !isOlder) {
      warnings.push(`Edit of ${edited.join(", ")} of job ${name} was not taken: it runs on ${where}`);
    }
  }
  const kept = recordsOf(changes, jobs);
  for (const record of kept) applyRecord(jobs, record);
  return { warnings, kept };
}

/** All values that a field has had by the journal. One of them in the file is no edit, but an older state. */
function knownValues(name: JobName, field: typeof FLIGHT_FIELDS[number], records: readonly JournalRecord[]): unknown[] {
  return records.flatMap((record) => {
    if (record.type === "put" && record.job.name === name) return [record.job[field]];
    if (record.type !== "set" || record.job !== name) return [];
    const whole = record.whole === null ? [] : [record.whole[field]];
    return field in record.fields ? [record.was[field], record.fields[field], ...whole] : whole;
  });
}
