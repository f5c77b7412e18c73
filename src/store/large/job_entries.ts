/**
 * Reads the entries of a queue file that look as the program writes them, straight into jobs: a queue of 100,000 is two
 * million lines. An entry of any other form, or with anything that has to be told to a person, is left to
 * `job_record.ts`, which reads the same from it.
 *
 * @module
 */

import { CmsError } from "../../errors.ts";
import type { Job } from "../../job/job.ts";
import { isOptionName, type JobOptions, readOption } from "../../job/options.ts";
import { isJobState } from "../../job/states.ts";
import { experimentPath, type JobName, jobName, machineName, shellName, userName } from "../../names/grammar.ts";
import { isPlain, quickScalar, quickValue } from "./scalars.ts";

/** What `quickValue` gives for a value that this reader does not take. */
const NOT_HERE = Symbol();
type Read = (value: unknown) => unknown;

const text: Read = (value) => typeof value === "string" ? value : NOT_HERE;
const textOrNull: Read = (value) => value === null || typeof value === "string" ? value : NOT_HERE;
const anything: Read = (value) => value ?? null;
const checked = (check: (text: string) => string): Read => (value) =>
  typeof value === "string" && value !== "" ? check(value) : NOT_HERE;
const checkedOrNull = (check: (text: string) => string): Read => (value) =>
  typeof value === "string" && value !== "" ? check(value) : value === null || value === "" ? value : NOT_HERE;
const idText: Read = (value) => typeof value === "string" && /^[0-9A-Za-z]{1,64}$/.test(value) ? value : NOT_HERE;
const state: Read = (value) => typeof value === "string" && isJobState(value) ? value : NOT_HERE;
const integer = (least: number): Read => (value) => typeof value === "number" && value >= least ? value : NOT_HERE;
const integerOrNull: Read = (value) => value === null || typeof value === "number" ? value : NOT_HERE;

/** In the order in which they are written; `boot`, `slot`, `job_directory` and options may follow. */
const FIELDS: readonly (readonly [field: string, read: Read])[] = [
  ["name", anything],
  ["id", idText],
  ["experiment", checked(experimentPath)],
  ["directory", text],
  ["input", text],
  ["output", text],
  ["log", text],
  ["status", state],
  ["gpu", textOrNull],
  ["command", text],
  ["shell", checked(shellName)],
  ["pid", textOrNull],
  ["host", checkedOrNull(machineName)],
  ["user", checkedOrNull(userName)],
  ["pyenv", textOrNull],
  ["last_probe_check", textOrNull],
  ["exit_code", integerOrNull],
  ["started", textOrNull],
  ["ended", textOrNull],
  ["attempt", integer(0)],
];
const PREFIXES = FIELDS.map(([field]) => `  ${field}: `);
const LATER = ["  boot: ", "  slot: ", "  job_directory: "];

/** Reads the entries of one text from its begin. Most lines are those of the entry before, and cost one comparison. */
export class JobBlockReader {
  readonly #text: string;
  /** The lines of the entry before, and what they mean. */
  readonly #lines: string[] = PREFIXES.map(() => "\0");
  readonly #values: unknown[] = PREFIXES.map(() => null);
  readonly #later: (string | null)[] = LATER.map(() => null);
  #options: JobOptions = NO_OPTIONS;
  /** Whether each of those lines is what would be written for its value. */
  readonly #areExact: boolean[] = PREFIXES.map(() => false);
  /** Where the entry that {@link JobBlockReader.read} gave ends. */
  end = 0;
  /** Whether its text is what would be written for it. */
  isExact = false;

  /** Reads nothing yet. */
  constructor(text: string) {
    this.#text = text;
  }

  /** The job whose entry begins at `at`; null if it is not of the common form, or has a fault. */
  read(at: number): Job | null {
    const text = this.#text;
    const lineEnd = text.indexOf("\n", at);
    if (lineEnd <= at || text[lineEnd - 1] !== ":") return null;
    try {
      const key = quickValue(text.slice(at, lineEnd - 1));
      if (typeof key !== "string") return null;
      const name = own(jobName(key));
      const end = this.#fields(lineEnd + 1);
      if (end === null) return null;
      this.end = end;
      this.isExact = isPlain(name) && name === this.#values[0] && this.#later.every((value) => value === null) &&
        this.#options === NO_OPTIONS && !this.#areExact.includes(false);
      return this.#job(name);
    } catch (error) {
      if (error instanceof CmsError) return null; // Its message is made where all problems are told at once.
      throw error;
    }
  }

  /** Reads the lines from `at`; gives where the next entry begins. */
  #fields(at: number): number | null {
    const text = this.#text;
    for (let i = 0; i < PREFIXES.length; i++) {
      const known = this.#lines[i]!;
      if (text.startsWith(known, at)) {
        at += known.length;
        continue;
      }
      const prefix = PREFIXES[i]!;
      if (!text.startsWith(prefix, at)) return null;
      const end = text.indexOf("\n", at);
      const raw = text.slice(at + prefix.length, end);
      const value = end < 0 ? undefined : quickValue(raw);
      const taken = value === undefined ? NOT_HERE : FIELDS[i]![1](value);
      if (taken === NOT_HERE) return null;
      this.#values[i] = typeof taken === "string" ? own(taken) : taken;
      this.#areExact[i] = quickScalar(taken) === raw;
      this.#lines[i] = text.slice(at, end + 1);
      at = end + 1;
    }
    const after = this.#readLater(at);
    if (after === null) return null;
    this.#options = NO_OPTIONS;
    const over = text.startsWith("  ", after) ? this.#readOptions(after) : after;
    if (over === null) return null;
    // Anything but the key of the next entry may belong to this one: a comment, one more field, a value of several
    // lines.
    return over === text.length || /[A-Za-z0-9_']/.test(text[over]!) ? over : null;
  }

  /** Reads the fields of later versions from `at`; gives where they end, or null if one is of another form. */
  #readLater(at: number): number | null {
    const text = this.#text;
    for (const [i, prefix] of LATER.entries()) {
      this.#later[i] = null;
      if (!text.startsWith(prefix, at)) continue;
      const end = text.indexOf("\n", at);
      const value = end < 0 ? undefined : quickValue(text.slice(at + prefix.length, end));
      if (typeof value !== "string") return null;
      this.#later[i] = value;
      at = end + 1;
    }
    return at;
  }

  /** Reads the options that begin at `at`; gives where they end, or null if one is of another form. */
  #readOptions(at: number): number | null {
    const text = this.#text;
    const options: Record<string, unknown> = {};
    while (text.startsWith("  ", at)) {
      const end = text.indexOf("\n", at);
      const colon = text.indexOf(":", at);
      const field = text.slice(at + 2, colon);
      if (end < 0 || colon > end || !isOptionName(field) || field in options) return null;
      const nested = colon + 1 === end ? this.#nested(end + 1) : null;
      const value = nested === null ? quickValue(text.slice(colon + 2, end)) : nested.value;
      if (value === undefined || text[colon + 1] === "\n" !== (nested !== null)) return null;
      const kept = readOption(field, value);
      if (kept !== null) options[field] = kept;
      at = nested?.end ?? end + 1;
    }
    this.#options = options;
    return at;
  }

  /** Reads a list or a map of scalars that begins at `at`; null if there is none of that form. */
  #nested(at: number): { value: unknown; end: number } | null {
    const text = this.#text;
    const list: unknown[] = [];
    const map = new Map<string, unknown>();
    while (text.startsWith("    ", at)) {
      const end = text.indexOf("\n", at);
      const row = text.slice(at + 4, end);
      const isItem = row.startsWith("- ");
      const colon = isItem ? 0 : row.indexOf(": ");
      const key = isItem ? "" : quickValue(row.slice(0, colon));
      const value = quickValue(row.slice(isItem ? 2 : colon + 2));
      if (end < 0 || colon < 0 || typeof key !== "string" || map.has(key) || value === undefined) return null;
      if (isItem) list.push(value);
      else map.set(key, value);
      at = end + 1;
    }
    if ((list.length === 0) === (map.size === 0)) return null;
    return { value: list.length > 0 ? list : map, end: at };
  }

  #job(name: JobName): Job {
    const v = this.#values;
    return {
      name,
      id: v[1] as string,
      experiment: v[2] as string,
      directory: v[3] as string,
      input: v[4] as string,
      output: v[5] as string,
      log: v[6] as string,
      status: v[7] as Job["status"],
      gpu: v[8] as string | null,
      command: v[9] as string,
      shell: v[10] as string,
      pid: v[11] as string | null,
      host: v[12] as string | null,
      user: v[13] as string | null,
      pyenv: v[14] as string | null,
      last_probe_check: v[15] as string | null,
      exit_code: v[16] as number | null,
      started: v[17] as string | null,
      ended: v[18] as string | null,
      attempt: v[19] as number,
      boot: this.#later[0]!,
      slot: this.#later[1]!,
      job_directory: this.#later[2]!,
      ...this.#options,
      extra: NO_EXTRA,
    };
  }
}

const NO_EXTRA: Job["extra"] = Object.freeze({});
const NO_OPTIONS: JobOptions = Object.freeze({});

/** A part of a long text keeps all of it in memory; this is a text of its own. */
function own<T extends string>(text: T): T {
  return text.length < 13 ? text : `${text} `.slice(0, -1) as T;
}
