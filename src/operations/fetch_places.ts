/**
 * Where the files of a job stand on its host, and which of them are brought. Pure.
 *
 * @module
 */

import type { Job } from "../job/job.ts";
import { scriptName } from "../job/script.ts";
import type { Sought } from "../link/fetch.ts";
import { isOwnFile } from "../link/stage.ts";
import { patternProblem } from "../names/path_pattern.ts";

/** One place of one job. */
export interface Place extends Sought {
  readonly job: Job;
  /** Where nothing fits, nothing is missing. */
  readonly isOptional: boolean;
  /** A file of the program's that nobody has asked for. */
  readonly isOwn: (path: string) => boolean;
}

/**
 * The places of a job.
 * @param patterns What was asked for; empty: what the job names, else all of its directory.
 * @param isOutputElsewhere The output of its last try is left there.
 */
export function placesOf(job: Job, patterns: readonly string[], isOutputElsewhere = false): Place[] {
  const directory = job.job_directory ?? job.name;
  const outputs = new Set([job.output, job.log, `${job.name}-nohup.log`]);
  const script = scriptName(job.name, job.shell);
  // What earlier tries wrote is worth as much as what the last one did.
  const isOutput = (path: string): boolean => outputs.has(path) || outputs.has(path.replace(/\.\d{1,3}$/, ""));
  const isOwn = (path: string): boolean =>
    isOutputElsewhere && outputs.has(path) ||
    !isOutput(path) && (path === script || isOwnFile(job.name, path.split("/")[0]!));
  const place = (of: readonly string[], workdir: string, isOptional: boolean): Place => ({
    ...{ job, owner: job, directory, workdir, patterns: of, isOptional },
    isOwn: workdir === "" ? isOwn : () => false,
  });
  const { workdir = null, fetch = null } = job;
  if (patterns.length > 0) {
    return [place(patterns, "", false), ...(workdir === null ? [] : [place(patterns, workdir, false)])];
  }
  if (fetch === null) return [place(["*"], "", false)];
  const written = [...outputs].filter((path) => !isOutputElsewhere && patternProblem(path) === null);
  return [place(written, "", true), place(fetch, workdir ?? "", false)];
}
