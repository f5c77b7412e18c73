/**
 * Which fields of a record a table shows: those of the user's document.
 *
 * @module
 */

/** Columns of the jobs of a queue. */
export const JOB_COLUMNS: readonly string[] = ["name", "status", "command", "gpu", "output", "log", "experiment"];
/** The same, with where and how a job ran. */
export const JOB_COLUMNS_WIDE: readonly string[] = [...JOB_COLUMNS, "host", "user", "exit_code", "started", "ended"];

/** Columns of the hosts of a cluster. */
export const HOST_COLUMNS: readonly string[] = [
  "id",
  "name",
  "user",
  "status",
  "gpu",
  "pyenv",
  "ip",
  "max_jobs_allowed",
];
/** All fields of a host. */
export const HOST_COLUMNS_WIDE: readonly string[] = [
  ...HOST_COLUMNS,
  "cores",
  "threads",
  "job_counter",
  "probe_status",
  "probe_time",
  "ping_status",
  "ping_time",
];

/** Columns of what a check found. */
export const FINDING_COLUMNS: readonly string[] = ["kind", "job", "where", "finding", "action"];
