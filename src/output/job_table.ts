/**
 * Jobs as a list shows them: chosen columns, an order, and what is made of a record (how long it took, its reason, its
 * parameters).
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { durationMs, fieldOf, isField } from "../job/where.ts";
import { renderDuration } from "../names/units.ts";
import type { Format } from "./records.ts";

/** Fields that a list makes, beside those of the file. */
const MADE = ["duration", "reason"];

/** Reads a list of columns, such as `name,status,duration,param.lr`. @throws {InvalidError} If one is no field. */
export function readColumns(text: string): string[] {
  const columns = text.split(",").filter((column) => column !== "");
  for (const column of columns) checkField(column);
  return columns;
}

/**
 * The record of a job for a list.
 * @param fields Made ones among them are added. @param reason Why the job is where it is. @returns In tables a duration
 * is text, else seconds.
 */
export function listRecord(
  job: Job,
  { fields, format, reason }: { fields: readonly string[]; format: Format; reason: string },
): Job & Record<string, unknown> {
  const tookMs = durationMs(job);
  const duration = tookMs === null ? null : format === "table" ? renderDuration(tookMs) : tookMs / 1000;
  const made: Record<string, unknown> = {};
  for (const field of fields) {
    if (field === "duration") made[field] = duration;
    else if (field === "reason") made[field] = reason;
    else if (field.includes(".")) made[field] = fieldOf(job, field);
  }
  return { ...job, ...made };
}

/** `param.NAME` for each parameter that any of the jobs has, in order of their appearance. */
export function paramColumns(jobs: readonly Job[]): string[] {
  const names = new Set<string>();
  for (const { params } of jobs) for (const name of Object.keys(params ?? {})) names.add(`param.${name}`);
  return [...names];
}

function checkField(field: string): void {
  if (isField(field) || MADE.includes(field)) return;
  throw new InvalidError([
    `Cannot show ${
      JSON.stringify(field)
    }: it is no field; use those of the queue file, duration, reason, param.NAME, tag.NAME`,
  ]);
}
