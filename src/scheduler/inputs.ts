/**
 * Which jobs have input files on the manager: those with a directory of their own below the experiment directory. Nearly none have, and
 * asking for each of thousands of jobs costs more than its start; so the experiment directory is read when it has changed.
 *
 * @module
 */

import type { Clock, Files, FileStamp } from "../deps.ts";

/** A directory that was changed so shortly before it was read may change once more without looking different. */
const SETTLED_MS = 100;

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

  /** True if files stand in `EXPERIMENT/JOB/` now. */
  async has(job: string): Promise<boolean> {
    const stamp = await this.#files.stamp(this.#directory);
    const isSame = this.#stamp !== null && stamp?.modifiedMs === this.#stamp.modifiedMs &&
      stamp.inode === this.#stamp.inode;
    if (!isSame) {
      const isSettled = stamp !== null && this.#clock.now() - stamp.modifiedMs > SETTLED_MS;
      this.#names = new Set(await this.#files.list(this.#directory));
      this.#stamp = isSettled ? stamp : null;
    }
    return this.#names.has(job) && (await this.#files.stamp(`${this.#directory}/${job}`))?.isDirectory === true;
  }
}
