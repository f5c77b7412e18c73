/**
 * What a host is told of an attempt. Pure.
 *
 * @module
 */

import { attemptId, type Job } from "../job/job.ts";
import { jobScript } from "../job/script.ts";
import type { StartRequest } from "../link/link.ts";

/** What of a job its start depends on. */
const FIELDS = [
  "id",
  "status",
  "attempt",
  "user",
  "host",
  "command",
  "shell",
  "gpu",
  "pyenv",
  "output",
  "log",
] as const satisfies readonly (keyof Job)[];

/** True if what was decided about the start of one is right for the other. */
export function startsAlike(a: Job, b: Job): boolean {
  return FIELDS.every((field) => a[field] === b[field]);
}

/** All that the host needs. The host's GPU goes before the job's; the job's python environment before the host's. */
export function startRequest(
  job: Job,
  attempt: number,
  place: { gpu: string; pyenv: string; backlog: number | null },
): StartRequest {
  const gpu = place.gpu !== "" ? place.gpu : job.gpu;
  const pyenv = job.pyenv !== null && job.pyenv !== "" ? job.pyenv : place.pyenv;
  return {
    job: job.name,
    attempt: attemptId({ id: job.id, attempt }),
    shell: job.shell,
    script: jobScript({ ...job, gpu, pyenv }),
    output: job.output,
    log: job.log,
    gpu: gpu === "" ? null : gpu,
    backlog: place.backlog,
  };
}
