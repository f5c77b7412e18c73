/**
 * Jobs in an order by one of their fields.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import type { Job } from "./job.ts";
import { fieldOf, isField } from "./where.ts";

/** An order: what it looks at of a job, and how two of these stand to each other. */
export interface JobOrder {
  readonly of: (job: Job) => unknown;
  readonly compare: (x: unknown, y: unknown) => number;
}

/**
 * Puts jobs in an order: by a field or `duration`, descending with `-` before it. Jobs without a value come last.
 * @throws {InvalidError} If it is no field.
 */
export function sortJobs(jobs: readonly Job[], by: string): Job[] {
  const { of, compare } = jobOrder(by);
  const keyed = jobs.map((job) => ({ job, value: of(job) }));
  return keyed.sort((x, y) => compare(x.value, y.value)).map(({ job }) => job);
}

/** The order of {@link sortJobs}. @throws {InvalidError} If it is no field. */
export function jobOrder(by: string): JobOrder {
  const isDown = by.startsWith("-");
  const field = isDown ? by.slice(1) : by;
  if (!isField(field) && field !== "duration") {
    const fields = "use those of the queue file, duration, param.NAME, tag.NAME";
    throw new InvalidError([`Cannot sort by ${JSON.stringify(field)}: it is no field; ${fields}`]);
  }
  const sign = isDown ? -1 : 1;
  const compare = (x: unknown, y: unknown): number => {
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    const [m, n] = [Number(x), Number(y)];
    return sign *
      (Number.isNaN(m) || Number.isNaN(n) ? (String(x) < String(y) ? -1 : Number(String(x) !== String(y))) : m - n);
  };
  return { of: (job) => fieldOf(job, field), compare };
}
