/**
 * The files that jobs write on their hosts, compared: which two names are one file. Pure; links on the host are not seen.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { Job } from "./job.ts";

type JobFile = Pick<Job, "name" | "output" | "log">;

/** True if a job's output would go into its log. */
export function isOutputLog({ name, output, log }: JobFile): boolean {
  return output === log || (output.includes("/") && placeOf(name, output) === placeOf(name, log));
}

/** Files outside of the jobs' directories to which more than one of the jobs writes, each with its jobs in order. */
export function sharedFiles(jobs: Iterable<JobFile>): { path: string; jobs: JobName[] }[] {
  const writers = new Map<string, { path: string; jobs: JobName[] }>();
  for (const { name, output, log } of jobs) {
    for (const path of [output, log]) {
      if (!/^[/~]|\.\./.test(path)) continue;
      const place = placeOf(name, path);
      const known = writers.get(place);
      if (known === undefined) writers.set(place, { path, jobs: [name] });
      else if (known.jobs.at(-1) !== name) known.jobs.push(name);
    }
  }
  return [...writers.values()].filter((file) => file.jobs.length > 1);
}

/** The path without `.` and `..`; a relative one below the job's directory. */
function placeOf(name: string, path: string): string {
  const parts: string[] = [];
  const isOwn = !/^(\/|~\/)/.test(path);
  for (const part of (isOwn ? `${name}/${path}` : path).split("/")) {
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/");
}
