/**
 * A job's directory on a simulated host: the chain of claims, the log, the marks. Every write is noted with the host,
 * as a power cut may take it.
 *
 * @module
 */

import { attemptNumber, isAttemptOf, jobIdOf } from "../job/attempt.ts";
import { CopiedFiles, type InputFiles } from "./input_files.ts";
import type { HostProcess } from "./host_process.ts";

/**
 * One file of the chain, as `claims.sh` describes it. `attempt` null: it is empty (just being made, or lost by a power
 * cut).
 */
export interface ClaimLink {
  attempt: string | null;
  /** Whose claim it is. */
  queue: string;
  boot: string;
  /** The last part of the agent's directory in it. */
  machine: string;
  /** Wrapper; 0 for a claim that forbids. */
  wrapper: number;
  wrapperTicks: number;
  /** Fourth line. */
  kind: "" | "P" | "R" | "F";
  pid: number;
  pidTicks: number;
  startedMs: number;
  /** The same by the clock that nobody sets. */
  startedAtMs: number;
  /** Number of its slot. */
  slot: string;
  /** Why its start failed (`R`); for which attempt files are put here (`F`, of an attempt 0). */
  reason: string;
  /** Its wrapper is done with it and goes on to another job. */
  done: boolean;
  madeMs: number;
  /** `.fin`: somebody wrote the end that no wrapper wrote. */
  fin: boolean;
  /** `.no`: its write failed. */
  no: boolean;
  /** `.watch`. */
  watcher: { machine: string; pid: number; ticks: number } | null;
}

/** What the log says since it was last begun. */
export interface LogText {
  readonly attempt: string;
  state: string;
  exit: number | null;
  /** The time limit that ended it, as `limit=TEXT`; `""` for none. */
  limit?: string;
  dateMs: number | null;
}

/** A job's output: whoever has it open for append adds to it. */
export class OutputFile {
  readonly lines: string[] = [];

  open(): { write(line: string): void } {
    return { write: (line) => void this.lines.push(line) };
  }
}

/** That an attempt is being killed through us. */
export function killMark(attempt: string): string {
  return `kill.${attempt}`;
}

/** The disk of its host. */
export interface Disk {
  readonly isFull: boolean;
  /** Virtual time. */
  readonly nowMs: number;
  /** Notes a write, and how a power cut takes it back. */
  wrote(file: string, undo: () => void): void;
  /** What people put into a directory that is the manager's own; null elsewhere. */
  managersInput(directory: string): InputFiles | null;
  /** A file of input is made or replaced. */
  inputSet(directory: string, file: string, text: string): void;
}

/** One directory. */
export class JobDirectory {
  readonly name: string;
  readonly #disk: Disk;
  /** `.cms`: made by this program, and complete. */
  isMade = false;
  readonly chain: ClaimLink[] = [];
  log: LogText | null = null;
  readonly output = new OutputFile();
  /** `JOB.kill.ATTEMPT`. */
  readonly marks = new Set<string>();
  /** What people put there, or a copy of that. */
  readonly input: InputFiles;
  /** What stands in the marks: why. */
  readonly whys = new Map<string, string>();
  /** `JOB.limit.ATTEMPT`, and the timers that are named there. */
  readonly limits = new Map<string, string>();
  readonly timers = new Map<string, HostProcess>();

  constructor(disk: Disk, name: string) {
    this.#disk = disk;
    this.name = name;
    this.input = disk.managersInput(name) ??
      new CopiedFiles((file, undo) => disk.wrote(`${name}/${file}`, undo));
  }

  /** A file of input is replaced, in one step. */
  setInput(file: string, text: string): void {
    this.#disk.inputSet(this.name, file, text);
    this.input.set(file, text);
  }

  /** `c_files`: whether files were put here for the attempt; and for whom later than it, null if for nobody. */
  filesFor(attempt: string): { readonly held: boolean; readonly due: string | null } {
    const id = jobIdOf(attempt);
    let held = false;
    let [due, other] = [null, null] as (string | null)[];
    for (const { attempt: claimed, kind, reason } of this.chain) {
      if (kind !== "F") {
        if (claimed !== null && isAttemptOf(claimed, id)) other = null;
      } else if (reason === "") continue;
      else if (!isAttemptOf(reason, id)) other = reason;
      else if (attemptNumber(reason) > attemptNumber(attempt)) due = reason;
      else {
        other = null;
        held ||= reason === attempt;
      }
    }
    return { held, due: due ?? other ?? null };
  }

  /** Removes what the program made, and leaves the rest. */
  strip(): void {
    const before = { chain: [...this.chain], log: this.log, isMade: this.isMade };
    this.chain.length = 0;
    this.log = null;
    this.isMade = false;
    this.marks.clear();
    this.#disk.wrote(`${this.name}.run.0`, () => {
      // File systems keep the order in which names come and go: where a later log stays, the removal does, too.
      const isLater = this.log !== null && this.log.attempt !== before.log?.attempt;
      if (this.chain.length === 0 && !isLater) this.chain.push(...before.chain);
    });
    this.#disk.wrote(`${this.name}.log`, () => this.log ??= before.log);
    this.#disk.wrote(`${this.name}/.cms`, () => this.isMade ||= before.isMade);
  }

  setMade(): void {
    if (this.isMade || this.#disk.isFull) return;
    this.isMade = true;
    this.#disk.wrote(`${this.name}/.cms`, () => this.isMade = false);
  }

  /** Makes the next link with O_EXCL, empty. null if there is one at that place. */
  makeLink(at: number): ClaimLink | null {
    if (this.chain.length > at) return null;
    const link: ClaimLink = {
      attempt: null,
      queue: "",
      boot: "",
      machine: "",
      wrapper: 0,
      wrapperTicks: 0,
      kind: "",
      pid: 0,
      pidTicks: 0,
      startedMs: 0,
      startedAtMs: 0,
      slot: "",
      reason: "",
      done: false,
      madeMs: this.#disk.nowMs,
      fin: false,
      no: false,
      watcher: null,
    };
    this.chain.push(link);
    this.#disk.wrote(`${this.name}.run.${at}`, () => {
      // A link that is gone takes those behind it out of sight; they stay out of the chain for good.
      const found = this.chain.indexOf(link);
      if (found >= 0) this.chain.length = found;
    });
    return link;
  }

  /** Writes parts of a link. */
  setLink(link: ClaimLink, values: Partial<ClaimLink>): void {
    const before = { ...link };
    Object.assign(link, values);
    this.#disk.wrote(`${this.name}.run.${this.chain.indexOf(link)}`, () => Object.assign(link, before));
  }

  /** Begins the log anew, or adds to it. */
  setLog(log: LogText): void {
    const before = this.log;
    this.log = log;
    this.#disk.wrote(`${this.name}.log`, () => this.log = before);
  }

  setLimit(attempt: string, word: string): void {
    if (this.#disk.isFull) return;
    const before = this.limits.get(attempt);
    this.limits.set(attempt, word);
    const back = (): unknown => before === undefined ? this.limits.delete(attempt) : this.limits.set(attempt, before);
    this.#disk.wrote(`${this.name}.limit.${attempt}`, back);
  }

  setMark(mark: string, present: boolean): void {
    if (this.marks.has(mark) === present) return;
    const set = (value: boolean): unknown => value ? this.marks.add(mark) : this.marks.delete(mark);
    set(present);
    this.#disk.wrote(`${this.name}.${mark}`, () => set(!present));
  }
}
