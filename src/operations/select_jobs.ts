/**
 * Which jobs a verb takes: by name, state, outcome and condition. All that is given must hold.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { expand } from "../names/expand.ts";
import type { Job } from "../job/job.ts";
import { isJobState, JOB_STATES, type JobState } from "../job/states.ts";
import { isFailed } from "../job/outcome.ts";
import { type Condition, holds, parseWhere } from "../job/where.ts";
import type { Jobs } from "../store/changes.ts";
import { InvalidError } from "../errors.ts";
import { Problems } from "./check.ts";

/** A choice of jobs; what is null or empty chooses all. */
export interface Selection {
  readonly names: readonly string[] | null;
  readonly states: readonly JobState[] | null;
  /** Only jobs that are over and did not end well. */
  readonly isFailed: boolean;
  readonly where: readonly Condition[];
  /** Only jobs with one of these exit codes; missing: whatever their code. */
  readonly exitCodes?: ReadonlySet<number>;
}

/** The words of a request, unread. */
export interface SelectionWords {
  /** An expandable list of names. */
  readonly name?: string | undefined;
  /** States between commas. */
  readonly status?: string | undefined;
  readonly failed?: boolean | undefined;
  readonly where?: readonly string[] | undefined;
  /** Tags that a job must have, each `KEY` or `KEY=VALUE`. */
  readonly tag?: readonly string[] | undefined;
  /** Exit codes between commas, ranges among them: `1,75,128-255`. */
  readonly exit_code?: string | undefined;
}

/** Chooses all jobs. */
export const ALL_JOBS: Selection = { names: null, states: null, isFailed: false, where: [] };

/** Chooses these. */
export function jobsNamed(names: readonly string[]): Selection {
  return { ...ALL_JOBS, names };
}

/** Reads the words. @throws {InvalidError} If any cannot be used; all problems at once. */
export function readSelection(words: SelectionWords): Selection {
  const problems = new Problems();
  const names = words.name === undefined ? null : problems.take(() => expand(words.name!)) ?? [];
  const states = words.status === undefined ? null : words.status.split(",").filter((state) => state !== "");
  for (const state of states ?? []) {
    problems.note(!isJobState(state), `Cannot use ${JSON.stringify(state)} as a status: use ${JOB_STATES.join(", ")}`);
  }
  const conditions = [...words.where ?? [], ...(words.tag ?? []).map(tagCondition)];
  const where = conditions.flatMap((text) => problems.take(() => parseWhere(text)) ?? []);
  const exitCodes = words.exit_code === undefined ? undefined : problems.take(() => readCodes(words.exit_code!));
  problems.throwIfAny();
  return {
    ...(exitCodes === undefined ? {} : { exitCodes }),
    names,
    states: states as JobState[] | null,
    isFailed: words.failed === true,
    where,
  };
}

/** `night`: whatever its value is. */
function tagCondition(tag: string): string {
  return tag.includes("=") ? `tag.${tag}` : `tag.${tag}!=`;
}

/** True if the selection chooses by more than names: a verb then prints how many jobs it changed. */
export function isByProperty({ states, isFailed, where, exitCodes }: Selection): boolean {
  return states !== null || isFailed || where.length > 0 || exitCodes !== undefined;
}

/** True if the selection chooses by nothing at all: it is all jobs. */
export function isAll(selection: Selection): boolean {
  return selection.names === null && !isByProperty(selection);
}

/** Refuses a selection of all jobs where that must be meant. @throws {InvalidError} */
export function requireChoice(selection: Selection, queue: string, what: string, example: string): void {
  if (!isAll(selection)) return;
  throw new InvalidError([`Cannot ${what} jobs of queue ${queue}: say which, such as --name=job[1-3], or ${example}`]);
}

function readCodes(text: string): ReadonlySet<number> {
  const codes = new Set<number>();
  for (const part of text.split(",").filter((one) => one !== "")) {
    const [, first = "", last = first] = /^([0-9]{1,3})(?:-([0-9]{1,3}))?$/.exec(part) ?? [];
    if (first === "" || Number(last) > 255 || Number(first) > Number(last)) {
      throw new InvalidError([
        `Cannot use ${JSON.stringify(part.slice(0, 200))} as an exit code: give 0 to 255, or a range such as 1-10`,
      ]);
    }
    for (let code = Number(first); code <= Number(last); code++) codes.add(code);
  }
  return codes;
}

/** Whether a job is chosen, as a function; undefined if all are. */
export function filterOf(selection: Selection): ((job: Job) => boolean) | undefined {
  const { names, ...rest } = selection;
  if (isAll(selection)) return undefined;
  const wanted = names === null ? null : new Set<string>(names);
  return (job) => (wanted === null || wanted.has(job.name)) && isSelected(job, { ...rest, names: null });
}

/** True if the job is chosen. */
export function isSelected(job: Job, selection: Selection): boolean {
  const { names, states, where } = selection;
  if (names !== null && !names.includes(job.name)) return false;
  if (states !== null && !states.includes(job.status)) return false;
  const { exitCodes } = selection;
  if (exitCodes !== undefined && (job.exit_code === null || !exitCodes.has(job.exit_code))) return false;
  return (!selection.isFailed || isFailed(job)) && where.every((condition) => holds(job, condition));
}

/** The names of the jobs, in the order in which they were asked for; in file order where they were not by name. */
export function inAskedOrder(jobs: readonly Job[], { names }: Selection): JobName[] {
  const own = jobs.map(({ name }) => name);
  if (names === null) return own;
  const chosen = new Set<string>(own);
  return [...new Set(names)].filter((name): name is JobName => chosen.has(name));
}

/**
 * The jobs that are chosen, in file order.
 * @returns `missing`: names of the selection that the queue does not have.
 */
export function selectJobs(jobs: Jobs, selection: Selection): { chosen: Job[]; missing: string[] } {
  const { names, ...rest } = selection;
  const missing = (names ?? []).filter((name) => !jobs.has(name as JobName));
  const wanted = names === null ? null : new Set<string>(names);
  const chosen: Job[] = [];
  for (const job of jobs.values()) {
    if ((wanted === null || wanted.has(job.name)) && isSelected(job, { ...rest, names: null })) chosen.push(job);
  }
  return { chosen, missing };
}
