/**
 * The files that jobs write on their hosts, compared: which two names are one file. Pure; links on the host are not
 * seen.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { Job } from "./job.ts";

type JobFile = Pick<Job, "name" | "output" | "log">;

/** Shells whose name other jobs' scripts may end with. */
const SHELLS = ["bash", "sh", "zsh", "dash", "ash", "ksh", "fish", "csh", "tcsh", "python3", "python"];

/** True if a job's output would go into its log. */
function isOutputLog({ name, output, log, experiment }: JobFile & Pick<Job, "experiment">): boolean {
  if (output === log) return true;
  if (!output.includes("/") && !log.includes("/")) return false;
  return placeIn(experiment, placeOf(name, output)) === placeIn(experiment, placeOf(name, log));
}

/**
 * Why the output or the log of a job cannot go where it says: to a file of the program's, its own or another job's,
 * which the start would empty. null if it can. A directory is known by its name alone.
 */
export function fileProblem(
  job: JobFile & Pick<Job, "shell" | "experiment">,
): { field: "output" | "log"; whose: string } | null {
  // Nearly all.
  if (job.output === `${job.name}.out` && job.log === `${job.name}.log`) return null;
  if (isOutputLog(job)) return { field: "output", whose: "the file of its log" };
  for (const field of ["output", "log"] as const) {
    const owner = ownerOf(placeIn(job.experiment, placeOf(job.name, job[field])), job);
    if (owner !== null) return { field, whose: `a file of ${owner}` };
  }
  return null;
}

/** A path below the experiment directory, whichever way it was named. */
function placeIn(experiment: string, place: string): string {
  const prefix = `${experiment.startsWith("/") ? "" : "~/"}${experiment}/`;
  return place.startsWith(prefix) ? place.slice(prefix.length) : place;
}

/** Whose file this is, if not the job's to write to. */
function ownerOf(place: string, { name, shell }: { name: string; shell: string }): string | null {
  const parts = place.split("/");
  const [directory = "", file = ""] = parts;
  if (directory === ".cms" || (parts.length === 1 && /^\.|-(queue|cluster)\.yaml$/.test(directory))) {
    return "the program";
  }
  if (parts.length !== 2 || directory === "" || directory === "~") return null;
  const own = directory === name;
  if (file === ".cms") return own ? "the program" : `job ${directory}`;
  if (!file.startsWith(`${directory}.`) && file !== `${directory}-nohup.log`) return null;
  const end = file.slice(directory.length + 1);
  const isOurs = /^(pid|run(\..*)?|kill\..*|limit\..*)$/.test(end);
  if (own) return isOurs || end === shell.replace(/^.*\//, "") ? "the program" : null;
  return isOurs || /^(out|log|nohup\.log)$/.test(end) || SHELLS.includes(end) ? `job ${directory}` : null;
}

/** Files outside of the jobs' directories to which more than one of the jobs writes, each with its jobs in order. */
export function sharedFiles(jobs: Iterable<JobFile & Pick<Job, "experiment">>): { path: string; jobs: JobName[] }[] {
  const writers = new Map<string, { path: string; jobs: JobName[] }>();
  for (const { name, output, log, experiment } of jobs) {
    for (const path of [output, log]) {
      if (!/^[/~]|\.\./.test(path)) continue;
      const place = placeIn(experiment, placeOf(name, path));
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
