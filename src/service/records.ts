/**
 * Jobs and hosts as replies: records as the files have them, and the tables of the commands.
 *
 * @module
 */

import type { z } from "@hono/zod-openapi";
import type { Host } from "../cluster/host.ts";
import type { Job } from "../job/job.ts";
import { HOST_COLUMNS, JOB_COLUMNS } from "../output/columns.ts";
import { renderRecords } from "../output/records.ts";
import type { Pace } from "../output/table.ts";
import type { HostSchema, JobSchema } from "./schemas.ts";

/** Jobs between two calls of a {@link Pace}. */
const AT_ONCE = 100;

/** A job as replies have it. `boot` and `slot` are the scheduler's own. */
export function jobReply(
  { extra, boot: _boot, slot: _slot, job_directory, ...fields }: Job,
): z.infer<typeof JobSchema> {
  return { ...extra, ...fields, ...(job_directory === null ? {} : { job_directory }) };
}

/** A host as replies have it. */
export function hostReply({ extra, ...fields }: Host): z.infer<typeof HostSchema> {
  return { ...extra, ...fields };
}

/** Jobs by name, in file order. */
export type JobsReply = Record<string, z.infer<typeof JobSchema>>;

/** {@link JobsReply} as JSON text. */
export async function jobsJson(jobs: readonly Job[], pace: Pace): Promise<string> {
  const parts: string[] = [];
  for (const [i, job] of jobs.entries()) {
    if (i % AT_ONCE === 0) await pace();
    parts.push(`${JSON.stringify(job.name)}:${JSON.stringify(jobReply(job))}`);
  }
  return `{${parts.join(",")}}`;
}

/** Hosts by id, in file order. */
export function hostsReply(hosts: readonly Host[]): Record<string, z.infer<typeof HostSchema>> {
  return Object.fromEntries(hosts.map((host) => [host.id, hostReply(host)]));
}

/** The jobs as `cms queue list` prints them; `None` if there are none. */
export function jobsTable(jobs: readonly Job[], pace?: Pace): Promise<string> {
  return renderRecords("table", JOB_COLUMNS, jobs, pace);
}

/** The hosts as `cms cluster list` prints them; `None` if there are none. */
export function hostsTable(hosts: readonly Host[]): Promise<string> {
  return renderRecords("table", HOST_COLUMNS, hosts);
}
