/**
 * Which fields of a record a table shows: those of the user's document.
 *
 * @module
 */

/** Columns of the jobs of a queue. */
export const JOB_COLUMNS: readonly string[] = ["name", "status", "command", "gpu", "output", "log", "experiment"];
/** The same, with where and how a job ran. */
export const JOB_COLUMNS_WIDE: readonly string[] = [
  ...JOB_COLUMNS,
  "host",
  "user",
  "exit_code",
  "started",
  "ended",
  "duration",
  "reason",
];

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
/** The same, with what the machine has. The fields that only the original program kept up to date are left out. */
export const HOST_COLUMNS_WIDE: readonly string[] = [
  ...HOST_COLUMNS,
  "cores",
  "threads",
];

/** Columns of what a check found. */
export const FINDING_COLUMNS: readonly string[] = ["kind", "job", "where", "finding", "action"];
