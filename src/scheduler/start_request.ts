/**
 * What a host is told of an attempt. Pure.
 *
 * @module
 */

import { attemptId } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { jobScript } from "../job/script.ts";
import type { StartRequest, TimeLimit } from "../link/link.ts";
import { parseDuration } from "../names/units.ts";

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
  "time_limit",
  "grace",
] as const satisfies readonly (keyof Job)[];

/** True if what was decided about the start of one is right for the other. */
export function startsAlike(a: Job, b: Job): boolean {
  return FIELDS.every((field) => (a[field] ?? null) === (b[field] ?? null));
}

/** Pause between TERM and KILL at a time limit, unless the job has its own. */
const GRACE_MS = 10_000;

/** The time limit of a job's attempt, or null. `fallback`: the run's, for jobs without one. */
export function timeLimitOf(job: Pick<Job, "time_limit" | "grace">, fallback: string | null): TimeLimit | null {
  const text = job.time_limit ?? fallback;
  if (text === null) return null;
  const { grace } = job;
  return { ms: parseDuration(text), graceMs: typeof grace === "string" ? parseDuration(grace) : GRACE_MS, text };
}

/** All that the host needs. The host's GPU goes before the job's; the job's python environment before the host's. */
export function startRequest(
  job: Job,
  attempt: number,
  place: { gpu: string; pyenv: string; backlog: number | null; timeLimit?: string | null },
): StartRequest {
  const limit = timeLimitOf(job, place.timeLimit ?? null);
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
    ...(limit === null ? {} : { limit }),
  };
}
