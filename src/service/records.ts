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
import type { HostSchema, JobSchema } from "./schemas.ts";

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
export function jobsReply(jobs: readonly Job[]): Record<string, z.infer<typeof JobSchema>> {
  return Object.fromEntries(jobs.map((job) => [job.name, jobReply(job)]));
}

/** Hosts by id, in file order. */
export function hostsReply(hosts: readonly Host[]): Record<string, z.infer<typeof HostSchema>> {
  return Object.fromEntries(hosts.map((host) => [host.id, hostReply(host)]));
}

/** The jobs as `cms queue list` prints them; `None` if there are none. */
export function jobsTable(jobs: readonly Job[]): Promise<string> {
  return renderRecords("table", JOB_COLUMNS, jobs);
}

/** The hosts as `cms cluster list` prints them; `None` if there are none. */
export function hostsTable(hosts: readonly Host[]): Promise<string> {
  return renderRecords("table", HOST_COLUMNS, hosts);
}
