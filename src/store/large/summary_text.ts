/**
 * A summary as it stands in the first line of a journal: JSON, some hundred bytes to a few KB, however many jobs there
 * are.
 *
 * @module
 */

import type { Job } from "../../job/job.ts";
import { JOB_STATES } from "../../job/states.ts";
import { jobRecord, normalizeJob } from "../yaml/job_record.ts";
import { type Failure, Summary } from "./summary.ts";

/** Its form. Members that are 0, empty or null are there, too: null is "too many to keep". */
export function summaryRecord(summary: Summary): Record<string, unknown> {
  return {
    since: summary.since,
    counts: JOB_STATES.map((state) => summary.counts[state]),
    failed: summary.failed,
    held: summary.held,
    dependent: summary.dependent,
    free: summary.free,
    timed: summary.timed === null ? null : [...summary.timed.values()].map(jobRecord),
    lacks: entriesOf(summary.lacks),
    durations: entriesOf(summary.durations),
    ends: entriesOf(summary.ends),
    failures: summary.failures.map(failureRow),
    floor: summary.floor === null ? null : failureRow(summary.floor),
  };
}

/** The summary of that form; null if it is of another. */
export function readSummary(value: unknown, experiment: string): Summary | null {
  if (typeof value !== "object" || value === null) return null;
  const record = value as Record<string, unknown>;
  const { since, counts, failed, held, dependent, free, timed, lacks, durations, ends, failures, floor } = record;
  const numbers = [since, failed, held, dependent, free];
  if (!numbers.every(isNumber) || !isList(counts) || !counts.every(isNumber)) return null;
  if (counts.length !== JOB_STATES.length || !isList(failures) || !failures.every(isFailure)) return null;
  if (!isCounts(durations, "number") || !(ends === null || isCounts(ends, "number"))) return null;
  if (!(lacks === null || isCounts(lacks, "string")) || !(floor === null || isFailure(floor))) return null;
  const jobs = timed === null ? null : jobsOf(timed, experiment);
  if (jobs === undefined) return null;
  const summary = new Summary(since as number);
  for (const [i, state] of JOB_STATES.entries()) summary.counts[state] = counts[i] as number;
  Object.assign(summary, { failed, held, dependent, free });
  summary.timed = jobs === null ? null : new Map(jobs.map((job) => [job.name, job]));
  summary.lacks = lacks === null ? null : new Map(lacks as [string, number][]);
  for (const [seconds, count] of durations as [number, number][]) summary.durations.set(seconds, count);
  summary.ends = ends === null ? null : new Map(ends as [number, number][]);
  summary.failures = failures.map(failureOf);
  summary.floor = floor === null ? null : failureOf(floor);
  return summary;
}

type FailureRow = [job: Failure["job"], reason: string, machine: string | null, ended: string | null];

function failureRow({ job, reason, machine, ended }: Failure): FailureRow {
  return [job, reason, machine, ended];
}

function failureOf([job, reason, machine, ended]: FailureRow): Failure {
  return { job, reason, machine, ended };
}

function entriesOf<K extends string | number>(counts: ReadonlyMap<K, number> | null): [K, number][] | null {
  return counts === null ? null : [...counts];
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function isCounts(value: unknown, key: "string" | "number"): value is [string | number, number][] {
  return isList(value) && value.every((row) => isList(row) && typeof row[0] === key && isNumber(row[1]));
}

function isFailure(value: unknown): value is FailureRow {
  return isList(value) && value.length === 4 && typeof value[0] === "string" && typeof value[1] === "string" &&
    value.slice(2).every((text) => text === null || typeof text === "string");
}

/** undefined if they are none. */
function jobsOf(value: unknown, experiment: string): Job[] | undefined {
  if (!isList(value)) return undefined;
  const jobs = value.map((record) => {
    if (typeof record !== "object" || record === null) return null;
    const fields = new Map<string, unknown>(Object.entries(record));
    const { job, problems } = normalizeJob(String(fields.get("name")), fields, experiment);
    return problems.length === 0 ? job : null;
  });
  return jobs.includes(null) ? undefined : jobs as Job[];
}
