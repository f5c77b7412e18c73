/**
 * Which jobs have input files on the manager: those with a directory of their own below the experiment directory, in
 * which something stands that is not the program's. Nearly none have, and asking for each of thousands of jobs costs
 * more than its start; so the experiment directory is read when it has changed, unless it is large: where hosts share
 * it, it changes with each start.
 *
 * @module
 */

import type { Clock, Files, FileStamp } from "../deps.ts";
import { scriptName } from "../job/script.ts";
import { isOwnFile } from "../link/stage.ts";
import type { JobName } from "../names/grammar.ts";

/** A job, and what the names of its files depend on. */
export interface InputJob {
  readonly job: JobName;
  readonly shell: string;
  readonly output: string;
  readonly log: string;
}

/** A directory that was changed so shortly before it was read may change once more without looking different. */
const SETTLED_MS = 100;
/** So many names are read in the time of one question. */
const NAMES_FOR_ONE = 32;
/** The same where file times are whole seconds, or every other one. */
const COARSE_SETTLED_MS = 2_100;

/** The input directories of one experiment. */
export class Inputs {
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #directory: string;
  #stamp: FileStamp | null = null;
  /**
   * When the directory was first seen as it is, by the manager's clock: how old its stamp is only the file system's
   * clock knows.
   */
  #seen: { stamp: FileStamp | null; atMs: number } | null = null;
  #names: ReadonlySet<string> = new Set();

  /** @param directory The experiment directory on the manager. */
  constructor({ files, clock }: { files: Files; clock: Clock }, directory: string) {
    this.#files = files;
    this.#clock = clock;
    this.#directory = directory;
  }

  /** Those of the jobs that have input files in `EXPERIMENT/JOB/` now. */
  async of(jobs: readonly InputJob[]): Promise<Set<JobName>> {
    const stamp = await this.#files.stamp(this.#directory);
    const seen = this.#seen;
    if (seen === null || !isSame(stamp, seen.stamp)) this.#seen = { stamp, atMs: this.#clock.now() };
    const isKnown = this.#stamp !== null && isSame(stamp, this.#stamp);
    const isLarge = this.#names.size > jobs.length * NAMES_FOR_ONE;
    const isSettled = this.#isSettled(stamp);
    const isFresh = isKnown || !isLarge || isSettled;
    if (!isKnown && isFresh) {
      this.#names = new Set(await this.#files.list(this.#directory));
      this.#stamp = isSettled ? stamp : null;
    }
    const may = isFresh ? jobs.filter(({ job }) => this.#names.has(job)) : jobs;
    const have = await Promise.all(may.map((job) => this.#has(job)));
    return new Set(may.filter((_, i) => have[i]).map(({ job }) => job));
  }

  /** True if it has been as it is for so long that it looks different after the next change. */
  #isSettled(stamp: FileStamp | null): boolean {
    const isCoarse = (stamp?.modifiedMs ?? 0) % 1000 === 0;
    return this.#clock.now() - (this.#seen?.atMs ?? 0) > (isCoarse ? COARSE_SETTLED_MS : SETTLED_MS);
  }

  async #has({ job, shell, output, log }: InputJob): Promise<boolean> {
    const path = `${this.#directory}/${job}`;
    if ((await this.#files.stamp(path))?.isDirectory !== true) return false;
    // A start writes these anew.
    const written = [scriptName(job, shell), output, log];
    return (await this.#files.list(path) ?? []).some((name) => !isOwnFile(job, name) && !written.includes(name));
  }
}

function isSame(a: FileStamp | null, b: FileStamp | null): boolean {
  return a?.modifiedMs === b?.modifiedMs && a?.inode === b?.inode;
}
