/**
 * What a host is told of an attempt. Pure.
 *
 * @module
 */

import { attemptId, type Job } from "../job/job.ts";
import { jobScript } from "../job/script.ts";
import type { StartRequest } from "../link/link.ts";

/** All that the host needs. The host's GPU goes before the job's; the job's python environment before the host's. */
export function startRequest(
  job: Job,
  attempt: number,
  place: { gpu: string; pyenv: string; line: number | null },
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
    line: place.line,
  };
}
