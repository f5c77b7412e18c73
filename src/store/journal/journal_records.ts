/**
 * Makes journal records of changes: adds what was there before, and leaves out what changes nothing.
 *
 * @module
 */

import type { JobName } from "../../names/grammar.ts";
import type { Job, JobFields } from "../../job/job.ts";
import { setOptions } from "../../job/options.ts";
import { isInFlight } from "../../job/states.ts";
import type { Change, Jobs } from "../changes.ts";
import { equalValues } from "../yaml/job_record.ts";
import type { JournalRecord } from "./journal.ts";

/** The records of one commit, in order. Changes of jobs that do not exist are left out. */
export function recordsOf(changes: readonly Change[], jobs: Jobs): JournalRecord[] {
  const changed = new Map<JobName, Job | undefined>();
  const present = (name: JobName) => changed.has(name) ? changed.get(name) : jobs.get(name);
  const records: JournalRecord[] = [];
  for (const change of changes) {
    if (change.type === "put") {
      const old = present(change.job.name);
      const same = old !== undefined && old.id === change.job.id && equalValues(old.extra, change.job.extra);
      const record = same ? setRecord(old, { ...unset(old), ...change.job }) : putRecord(change.job, old);
      changed.set(change.job.name, change.job);
      if (record !== null) records.push(record);
    } else if (change.type === "set") {
      const old = present(change.job);
      const record = old === undefined ? null : setRecord(old, change.fields);
      if (old === undefined || record === null) continue;
      changed.set(change.job, { ...old, ...change.fields });
      records.push(record);
    } else if (change.type === "delete") {
      const old = present(change.job);
      if (old === undefined) continue;
      changed.set(change.job, undefined);
      records.push({ type: "delete", job: change.job, id: old.id });
    } else if (change.type === "kill" || change.type === "move") {
      records.push(change);
    } else {
      change satisfies never;
    }
  }
  return records;
}

function putRecord(job: Job, old: Job | undefined): JournalRecord {
  return { type: "put", job, was: old?.id ?? null };
}

/** Nulls for the options of a job: what a record does not name stays. */
function unset(job: Job): JobFields {
  return Object.fromEntries(Object.keys(setOptions(job)).map((name) => [name, null]));
}

/** Null if nothing changes. */
function setRecord(old: Job, fields: JobFields): JournalRecord | null {
  const names = (Object.keys(fields) as (keyof Job)[]).filter((field) =>
    field !== "name" && field !== "extra" && !equalValues(old[field], fields[field])
  );
  if (names.length === 0) return null;
  const pick = (from: JobFields | Job) =>
    Object.fromEntries(names.map((field) => [field, from[field as keyof JobFields] ?? null]));
  const starts = isInFlight(fields.status ?? old.status) && !isInFlight(old.status);
  return { type: "set", job: old.name, id: old.id, fields: pick(fields), was: pick(old), whole: starts ? old : null };
}

/** Moves of a job's state with the time at which they were written, for those who follow the journal. */
export function stamped(records: readonly JournalRecord[], nowMs: number): JournalRecord[] {
  return records.map((record) =>
    record.type === "set" && record.fields.status !== undefined ? { ...record, at: nowMs } : record
  );
}

/** A record for each job in flight that changes nothing: what a journal begins with, see `merge.ts`. */
export function flightRecords(jobs: Iterable<Job>): JournalRecord[] {
  return [...jobs].filter(({ status }) => isInFlight(status)).map((whole) => ({
    type: "set",
    job: whole.name,
    id: whole.id,
    fields: { status: whole.status },
    was: { status: whole.status },
    whole,
  }));
}

/** The changes that make one queue of another, its order too. */
export function changesBetween(before: Jobs, after: Jobs): Change[] {
  const gone = [...before.keys()].filter((name) => !after.has(name));
  const names = [...after.keys()];
  const kept = new Set([...before.keys()].filter((name) => after.has(name)));
  const order = [...kept, ...names.filter((name) => !kept.has(name))];
  return [
    ...gone.map((job): Change => ({ type: "delete", job })),
    ...[...after.values()].map((job): Change => ({ type: "put", job })),
    ...(names.every((name, i) => name === order[i]) ? [] : [{ type: "move", jobs: names, before: null } as const]),
  ];
}
