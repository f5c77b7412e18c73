/**
 * Files that people put into the directory of a job, and copies of them on hosts. Where the directory is the manager's
 * own (localhost, a home that it shares), they are the same files.
 *
 * @module
 */

import type { MemoryFiles } from "./memory_files.ts";

/** What stands in one job's directory, beside the files of the program. */
export interface InputFiles {
  names(): readonly string[];
  get(name: string): string | null;
  set(name: string, text: string): void;
}

/** Those on the disk of a host. */
export class CopiedFiles implements InputFiles {
  readonly #files = new Map<string, string>();
  readonly #wrote: (name: string, undo: () => void) => void;

  /** @param wrote Notes a write that a power cut may take. */
  constructor(wrote: (name: string, undo: () => void) => void) {
    this.#wrote = wrote;
  }

  names(): readonly string[] {
    return [...this.#files.keys()];
  }

  get(name: string): string | null {
    return this.#files.get(name) ?? null;
  }

  set(name: string, text: string): void {
    const before = this.#files.get(name);
    this.#files.set(name, text);
    this.#wrote(name, () => before === undefined ? this.#files.delete(name) : this.#files.set(name, before));
  }
}

/** The manager's experiment directory, as a host sees it whose own it is. */
export class ManagersDirectory {
  readonly #disk: MemoryFiles;
  readonly #path: string;

  constructor(disk: MemoryFiles, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  has(name: string): boolean {
    return this.#disk.textNow(`${this.#path}/${name}`) !== null;
  }

  /** The files in `JOB/` there; null where no person has put any. */
  inputOf(job: string): InputFiles | null {
    if (this.#disk.namesNow(`${this.#path}/${job}`).length === 0) return null;
    const path = `${this.#path}/${job}`;
    return {
      names: () => this.#disk.namesNow(path),
      get: (name) => this.#disk.textNow(`${path}/${name}`),
      set: (name, text) => this.#disk.edit(`${path}/${name}`, text),
    };
  }

  /** Removes `JOB/` with all that is in it. */
  remove(job: string): void {
    void this.#disk.remove(`${this.#path}/${job}`);
  }
}
