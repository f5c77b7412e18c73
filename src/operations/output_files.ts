/**
 * The files that a job writes, and where they stand on its host. Pure.
 *
 * @module
 */

import type { Job } from "../job/job.ts";

/** `log`: the states; `output`: stdout of the command; `error`: its stderr. */
export const JOB_FILES = ["log", "output", "error"] as const;
/** One of {@link JOB_FILES}. */
export type JobFile = typeof JOB_FILES[number];

/** Where a file of a job stands, below its directory. */
export function pathOf(job: Job, file: JobFile): string {
  switch (file) {
    case "log":
      return job.log;
    case "output":
      return job.output;
    case "error":
      return `${job.name}-nohup.log`;
    default:
      return file satisfies never;
  }
}
