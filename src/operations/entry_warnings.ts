/**
 * What can be read in the entries of a queue or a cluster, and is hardly meant: fields that mean nothing, jobs that
 * write into one file, text that was made on another system. For `check`, `queue add` and the begin of a run.
 *
 * @module
 */

import { type Host, makeHost } from "../cluster/host.ts";
import { isSlurm, SLURM_FIELDS } from "../cluster/slurm_entry.ts";
import { sharedFiles } from "../job/files.ts";
import { type Job, makeJob } from "../job/job.ts";
import { OPTION_NAMES } from "../job/options.ts";
import type { HostId, JobName } from "../names/grammar.ts";
import { similar } from "../names/similar.ts";
import { someNames } from "../names/some_names.ts";

const AT = { id: "", experiment: "" };
const JOB_FIELDS = [...Object.keys(makeJob("x" as JobName, { command: "" }, AT)), ...OPTION_NAMES]
  .filter((field) => field !== "extra");
const HOST_FIELDS = Object.keys(
  makeHost("x" as HostId, { name: "", user: "", env: {}, gpus: "0", cpus: 1, memory: "1G", gpu_idle: true }),
)
  .filter((field) => field !== "extra");

/** One line for each field that the program does not know. It is kept, and does nothing. */
export function unknownFields(kind: "job" | "host", entries: Iterable<Job | Host>): string[] {
  const found = new Map<string, string[]>();
  for (const entry of entries) {
    for (const field in entry.extra) {
      if (isSlurm(entry) && SLURM_FIELDS.includes(field)) continue;
      const name = kind === "job" ? (entry as Job).name : (entry as Host).id;
      const names = found.get(field);
      if (names === undefined) found.set(field, [name]);
      else names.push(name);
    }
  }
  return [...found].map(([field, names]) => {
    const meant = similar(field, kind === "job" ? JOB_FIELDS : HOST_FIELDS);
    const hint = meant === null ? "it has no effect" : `did you mean ${meant}?`;
    return `${kind} ${someNames(names)}: unknown field ${JSON.stringify(field)}; ${hint}`;
  });
}

/** Reports each unknown field once. */
export class UnknownFieldWatch {
  readonly #warn: (text: string) => void;
  readonly #reported = new Set<string>();

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** Looks at entries that are new or changed. */
  look(kind: "job" | "host", entries: Iterable<Job | Host>): void {
    for (const text of unknownFields(kind, entries)) {
      if (this.#reported.has(text)) continue;
      this.#reported.add(text);
      this.#warn(text);
    }
  }
}

/** True for a field of which {@link jobWarnings} may have something to say. */
export function isWarnedOf(field: string): boolean {
  return ["command", "pyenv", "output", "log", "gpu", "gpus"].includes(field);
}

/** What may not be meant in jobs that were just added or changed. */
export function jobWarnings(jobs: readonly Job[]): string[] {
  return [...sharedFileWarnings(jobs), ...lineEndWarnings(jobs), ...gpuWarnings(jobs)];
}

/** One line for the jobs that name devices, and are given others. */
function gpuWarnings(jobs: readonly Job[]): string[] {
  const both = jobs.filter(({ gpu, gpus }) => (gpu ?? "") !== "" && (gpus ?? null) !== null);
  if (both.length === 0) return [];
  const names = someNames(both.map(({ name }) => name));
  return [`job ${names}: gpu has no effect beside gpus, which lets the run choose the devices`];
}

/** One line for each file to which several of the jobs write. */
export function sharedFileWarnings(jobs: Iterable<Job>): string[] {
  return sharedFiles(jobs).map(({ path, jobs }) =>
    `job ${someNames(jobs)}: all write to ${path}, where the lines of one job alone survive`
  );
}

/**
 * One line for the jobs whose command or pyenv has the line ends of Windows: a shell takes the carriage return for a
 * part of the word.
 */
export function lineEndWarnings(jobs: Iterable<Job>): string[] {
  const names = [...jobs].filter(({ command, pyenv }) => command.includes("\r") || (pyenv ?? "").includes("\r"))
    .map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    `job ${someNames(names)}: the command or pyenv holds \\r (a line end of Windows), which the shell takes for text`,
  ];
}
