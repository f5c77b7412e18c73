/**
 * Which jobs have input files on the manager: those with a directory of their own below the experiment directory, in which something
 * stands that is not the program's. Nearly none have, and asking for each of thousands of jobs costs more than its start; so the
 * experiment directory is read when it has changed, unless it is large: where hosts share it, it changes with each start.
 *
 * @module
 */

import type { Clock, Files, FileStamp } from "../deps.ts";
import { isOwnFile } from "../link/stage.ts";
import type { JobName } from "../names/grammar.ts";

/** A directory that was changed so shortly before it was read may change once more without looking different. */
const SETTLED_MS = 100;
/** So many names are read in the time of one question. */
const NAMES_FOR_ONE = 32;

/** The input directories of one experiment. */
export class Inputs {
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #directory: string;
  #stamp: FileStamp | null = null;
  #names: ReadonlySet<string> = new Set();

  /** @param directory The experiment directory on the manager. */
  constructor({ files, clock }: { files: Files; clock: Clock }, directory: string) {
    this.#files = files;
    this.#clock = clock;
    this.#directory = directory;
  }

  /** Those of the jobs that have input files in `EXPERIMENT/JOB/` now. */
  async of(jobs: readonly JobName[]): Promise<Set<JobName>> {
    const stamp = await this.#files.stamp(this.#directory);
    const isSame = this.#stamp !== null && stamp?.modifiedMs === this.#stamp.modifiedMs &&
      stamp.inode === this.#stamp.inode;
    const isLarge = this.#names.size > jobs.length * NAMES_FOR_ONE;
    if (!isSame && !isLarge) {
      const isSettled = stamp !== null && this.#clock.now() - stamp.modifiedMs > SETTLED_MS;
      this.#names = new Set(await this.#files.list(this.#directory));
      this.#stamp = isSettled ? stamp : null;
    }
    const may = isSame || !isLarge ? jobs.filter((job) => this.#names.has(job)) : jobs;
    const have = await Promise.all(may.map((job) => this.#has(job)));
    return new Set(may.filter((_, i) => have[i]));
  }

  async #has(job: JobName): Promise<boolean> {
    const path = `${this.#directory}/${job}`;
    if ((await this.#files.stamp(path))?.isDirectory !== true) return false;
    return (await this.#files.list(path) ?? []).some((name) => !isOwnFile(job, name));
  }
}
