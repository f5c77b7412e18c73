/**
 * Fields that a job has only where they are set: what it may use, when it may start, what is done when it ends. A plain
 * job has none of them, in memory as in its file. Each has one reader, which takes what a person or a program wrote and
 * gives the value as it is kept.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import { type Environment, readEnvironment } from "../names/environment.ts";
import { expand } from "../names/expand.ts";
import { jobName } from "../names/grammar.ts";
import { patternProblem, sendProblem } from "../names/path_pattern.ts";
import { durationField, sizeField } from "../names/units.ts";

/**
 * What an earlier try of a job was. `attempt` is its number on the host. Times are ISO 8601 in UTC, or null where they
 * are unknown.
 */
export interface PastTry {
  /** From 1, since the job was added or reset. */
  readonly try: number;
  readonly attempt: number;
  readonly host: string | null;
  readonly user: string | null;
  readonly started: string | null;
  readonly ended: string | null;
  readonly status: string;
  readonly exit_code: number | null;
  readonly reason: string | null;
  /** Boot of its machine, which was silent: it may still run there. Only where it was tried elsewhere since. */
  readonly boot?: string;
}

/** A machine where an attempt of a job was, see `places.ts`. */
export interface Place {
  readonly id: string;
  readonly attempt: number;
  readonly host: string;
  readonly user: string | null;
}

/** The fields. A missing one and null mean the same: not set. */
export interface JobOptions {
  /** How long an attempt may run, by its host; then it is killed. */
  readonly time_limit?: string | null;
  /** Pause between TERM and KILL at a time limit; 10 s by default. */
  readonly grace?: string | null;
  /** Further tries after the first. */
  readonly retries?: number | null;
  readonly retry_delay?: string | null;
  /** What is tried again: words of {@link RETRY_CAUSES} and exit codes. */
  readonly retry_on?: readonly (string | number)[] | null;
  /** Jobs that must have ended well, must be over, must be over and failed, before this one starts. */
  readonly after?: readonly string[] | null;
  readonly after_any?: readonly string[] | null;
  readonly after_notok?: readonly string[] | null;
  /** Higher starts first; 0 by default. */
  readonly priority?: number | null;
  /** True: it is not started until it is released. */
  readonly hold?: boolean | null;
  /** Variables of its environment. */
  readonly env?: Environment | null;
  /** The directory on its host in which it starts: absolute, or below the home directory there. */
  readonly workdir?: string | null;
  /** Files and directories of the manager that are in its directory, or its workdir, when it starts. */
  readonly send?: readonly string[] | null;
  /** Which of its files `queue fetch` brings: patterns below its directory, or its workdir. */
  readonly fetch?: readonly string[] | null;
  /** Its place among the jobs that were added with it, from 1, where it wants to know. */
  readonly index?: number | null;
  /** What it needs on its host: GPUs (a whole number, or a part of one below 1), CPUs, memory, slots. */
  readonly gpus?: number | null;
  readonly cpus?: number | null;
  readonly memory?: string | null;
  readonly slots?: number | null;
  readonly params?: Readonly<Record<string, string>> | null;
  readonly tags?: Readonly<Record<string, string>> | null;
  /** Why it is where it is, one line for people. Written by the program. */
  readonly reason?: string | null;
  /** Its earlier tries, the last 20. Written by the program. */
  readonly history?: readonly PastTry[] | null;
  /** Where jobs of its name were that it has replaced, for each machine the last. Written by the program. */
  readonly replaced?: readonly Place[] | null;
  /** It is not tried again before, ISO 8601. Written by the program. */
  readonly not_before?: string | null;
  /** GPU devices that its last attempt was given. Written by the program. */
  readonly devices?: readonly number[] | null;
}

/** Name of one of the fields. */
export type OptionName = keyof JobOptions;

/** What a failed try may be tried again for, besides exit codes. */
export const RETRY_CAUSES = ["exit", "time_limit", "crash", "start", "lost"] as const;

/** Most earlier tries that are kept. */
export const HISTORY_LIMIT = 20;
/** Most machines of replaced jobs that are kept. */
export const PLACES_LIMIT = 20;

/** Most GPUs, CPUs or slots of a job. */
const MOST_NEEDED = 100_000;

/** Members of a job that has no options: those that `makeJob` gives. */
const PLAIN_MEMBERS = 24;

type Reader = (value: unknown) => unknown;

/** In the order in which they are written. */
const READERS = {
  time_limit: text(durationField),
  grace: text(durationField),
  retries: whole(0, 1_000_000),
  retry_delay: text(durationField),
  retry_on: words(retryCause),
  after: names,
  after_any: names,
  after_notok: names,
  priority: whole(-1_000_000, 1_000_000),
  hold: flag,
  env: readEnvironment,
  workdir: text(workdirText),
  send: list(sendText),
  fetch: words(patternText),
  index: whole(1, 1_000_000),
  gpus: gpuCount,
  cpus: whole(1, MOST_NEEDED),
  memory: text(sizeField),
  slots: whole(1, MOST_NEEDED),
  params: map(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, "a parameter's name: letters, digits and _"),
  tags: map(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/, "a tag's name: letters, digits, . _ -"),
  reason: text((value) => value),
  history: list(pastTry),
  replaced: list(placeOf),
  not_before: text(timeText),
  devices: list(whole(0, MOST_NEEDED)),
} as const satisfies Record<OptionName, Reader>;

/** All names, in the order in which they are written. */
export const OPTION_NAMES = Object.keys(READERS) as readonly OptionName[];

/** Those that only the program writes: a person's value of them is kept, and means nothing. */
export const PROGRAM_OPTIONS: readonly OptionName[] = ["reason", "history", "replaced", "not_before", "devices"];

/** True if `name` is one of the fields. */
export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(READERS, name);
}

/**
 * Reads the value of a field from a file, a request or a record; maps may be `Map`s.
 * @returns What is kept: null for null, an empty text, list or map.
 * @throws {InvalidError} If it cannot be meant; the message does not name the field.
 */
export function readOption<N extends OptionName>(name: N, value: unknown): JobOptions[N] | null {
  if (value === null || value === undefined || value === "") return null;
  return READERS[name](value) as JobOptions[N] | null;
}

/** True if a job has members besides those that each job has. Quick: large queues are of plain jobs. */
export function hasOptions(job: JobOptions): boolean {
  return Object.keys(job).length > PLAIN_MEMBERS;
}

/** The fields of a job that are set, in their order. */
export function setOptions(job: JobOptions): JobOptions {
  const set: Partial<Record<OptionName, unknown>> = {};
  for (const name of OPTION_NAMES) if (job[name] !== undefined && job[name] !== null) set[name] = job[name];
  return set as JobOptions;
}

function invalid(value: unknown, hint: string): never {
  const shown = typeof value === "object" && !(value instanceof Map) ? JSON.stringify(value) : String(value);
  throw new InvalidError([`${JSON.stringify(shown.slice(0, 200))} cannot be used: ${hint}`]);
}

function text(check: (text: string) => string): Reader {
  return (value) => {
    if (typeof value === "object" || value === undefined) return invalid(value, "give a text");
    return check(String(value));
  };
}

function whole(least: number, most: number): Reader {
  return (value) => {
    const number = typeof value === "string" && /^-?[0-9]{1,9}$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= least && number <= most) return number;
    return invalid(value, `give a whole number from ${least} to ${most}`);
  };
}

/** A whole number of GPUs; or a part of one, in hundredths. */
function gpuCount(value: unknown): number {
  const isText = typeof value === "string" && /^[0-9]{1,6}(?:\.[0-9]{1,6})?$/.test(value);
  const number = isText ? Number(value) : value;
  if (typeof number === "number" && number > 0 && number <= MOST_NEEDED) {
    if (Number.isInteger(number)) return number;
    if (number < 1 && Math.abs(number * 100 - Math.round(number * 100)) < 1e-9) return number;
  }
  return invalid(value, "give a whole number of GPUs, or a part of one in hundredths, such as 0.5");
}

function flag(value: unknown): true | null {
  if (value === true || (typeof value === "string" && /^(?:true|yes|on|1)$/i.test(value)) || value === 1) return true;
  if (value === false || (typeof value === "string" && /^(?:false|no|off|0)$/i.test(value)) || value === 0) return null;
  return invalid(value, "give true or false");
}

function retryCause(value: unknown): string | number {
  const code = typeof value === "string" && /^[0-9]{1,3}$/.test(value) ? Number(value) : value;
  if (typeof code === "number" && Number.isInteger(code) && code >= 1 && code <= 255) return code;
  if ((RETRY_CAUSES as readonly unknown[]).includes(value)) return value as string;
  return invalid(value, `use ${RETRY_CAUSES.join(", ")}, or exit codes from 1 to 255`);
}

/** A list; a single value counts as a list of one. */
function list(read: Reader): Reader {
  return (value) => {
    const all = Array.isArray(value) ? value : [value];
    const kept = all.filter((one) => one !== "" && one !== null).map(read);
    return kept.length === 0 ? null : kept;
  };
}

/** A list; a text counts as its parts between commas. */
function words(read: Reader): Reader {
  const readList = list(read);
  return (value) => readList(typeof value === "string" ? value.split(",") : value);
}

/** Names of jobs, each once; a text is an expandable list. */
function names(value: unknown): string[] | null {
  const all = (Array.isArray(value) ? value : [value]).flatMap((one) => {
    if (typeof one === "object") return invalid(one, "give names of jobs");
    return expand(String(one)).map(jobName);
  });
  return all.length === 0 ? null : [...new Set(all)];
}

function map(names: RegExp, hint: string): Reader {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return invalid(value, "give a map");
    const entries = (value instanceof Map ? [...value] : Object.entries(value)) as [unknown, unknown][];
    const kept = entries.map(([name, one]) => {
      if (typeof name !== "string" || !names.test(name)) return invalid(name, `use ${hint}`);
      if (typeof one === "object" && one !== null) return invalid(name, "its value is no text");
      const own = one === null || one === undefined ? "" : String(one);
      if (own.includes("\0")) return invalid(name, "its value holds a NUL character");
      return [name, own];
    });
    return kept.length === 0 ? null : Object.fromEntries(kept);
  };
}

function patternText(value: unknown): string {
  const problem = patternProblem(String(value));
  return problem === null ? String(value) : invalid(value, problem);
}

function sendText(value: unknown): string {
  if (typeof value === "object") return invalid(value, "give a path");
  const problem = sendProblem(String(value));
  return problem === null ? String(value) : invalid(value, problem);
}

function workdirText(value: string): string {
  if (/\p{C}/u.test(value)) return invalid(value, "it holds a control character");
  if (value.length <= 4_000 && !/^~[^/]/.test(value)) return value;
  return invalid(value, "give a directory on the host, absolute or below the home directory there");
}

function timeText(value: string): string {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,12}Z$/.test(value) || Number.isNaN(Date.parse(value))) {
    return invalid(value, "give a time such as 2026-01-31T12:00:00Z");
  }
  return value;
}

/** How the members of a map in a list are read. */
interface Members {
  readonly text: (field: string) => string | null;
  readonly number: (field: string) => number | null;
}

function members(value: unknown): Members {
  if (typeof value !== "object" || value === null) return invalid(value, "give a map");
  const of = (value instanceof Map ? Object.fromEntries(value) : value) as Readonly<Record<string, unknown>>;
  return {
    text: (field) => {
      const one = of[field] ?? null;
      return one === null ? null : typeof one === "object" ? invalid(one, "give a text") : String(one);
    },
    number: (field) => {
      const one = of[field] ?? null;
      return one === null || typeof one === "number" ? one : invalid(one, "give a number");
    },
  };
}

function pastTry(value: unknown): PastTry {
  const { text, number } = members(value);
  return {
    try: number("try") ?? 1,
    attempt: number("attempt") ?? 0,
    host: text("host"),
    user: text("user"),
    started: text("started"),
    ended: text("ended"),
    status: text("status") ?? "end",
    exit_code: number("exit_code"),
    reason: text("reason"),
    ...(text("boot") === null ? {} : { boot: text("boot")! }),
  };
}

function placeOf(value: unknown): Place {
  const { text, number } = members(value);
  const host = text("host") ?? invalid(value, "it names no host");
  return { id: text("id") ?? "", attempt: number("attempt") ?? 0, host, user: text("user") };
}
