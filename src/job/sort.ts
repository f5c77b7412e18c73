/**
 * Jobs in an order by one of their fields.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import type { Job } from "./job.ts";
import { fieldOf, isField } from "./where.ts";

/**
 * Puts jobs in an order: by a field or `duration`, descending with `-` before it. Jobs without a value come last.
 * @throws {InvalidError} If it is no field.
 */
export function sortJobs(jobs: readonly Job[], by: string): Job[] {
  const isDown = by.startsWith("-");
  const field = isDown ? by.slice(1) : by;
  if (!isField(field) && field !== "duration") {
    const fields = "use those of the queue file, duration, param.NAME, tag.NAME";
    throw new InvalidError([`Cannot sort by ${JSON.stringify(field)}: it is no field; ${fields}`]);
  }
  const sign = isDown ? -1 : 1;
  const keyed = jobs.map((job) => ({ job, value: fieldOf(job, field) }));
  keyed.sort(({ value: x }, { value: y }) => {
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    const [m, n] = [Number(x), Number(y)];
    return sign *
      (Number.isNaN(m) || Number.isNaN(n) ? (String(x) < String(y) ? -1 : Number(String(x) !== String(y))) : m - n);
  });
  return keyed.map(({ job }) => job);
}
