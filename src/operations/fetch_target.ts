/**
 * The directory of the manager that fetched files go to. Nothing is written outside it, wherever links in it lead.
 *
 * @module
 */

import type { Files } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { type Job, placeOf } from "../job/job.ts";

/** How files are put below the target: by job, all in one directory, by host or by parameters. */
export type Layout = "job" | "flat" | "host" | "params";

/** Files by their place below the directory. */
export class FetchTarget {
  readonly #files: Files;
  readonly #directory: string;
  readonly #layout: Layout;
  /** Which file of which job has a path. */
  readonly #owners = new Map<string, string>();

  /** Touches no file. @param directory Absolute; it is made when the first file comes. */
  constructor(files: Files, directory: string, layout: Layout) {
    this.#files = files;
    this.#directory = directory;
    this.#layout = layout;
  }

  /** The path of a file of a job below the directory; null where another file has it. */
  pathOf(job: Job, file: string): string | null {
    const path = this.#placed(job, file);
    const owner = `${job.name}/${file}`;
    const known = this.#owners.get(path);
    if (known === undefined) this.#owners.set(path, owner);
    return known === undefined || known === owner ? path : null;
  }

  /** The absolute path. */
  at(path: string): string {
    return `${this.#directory}/${path}`;
  }

  /** Writes a file. @throws {CmsError} If it would stand outside. @throws {Error} As the system has it. */
  async write(path: string, pieces: AsyncIterable<Uint8Array>, modifiedMs: number): Promise<void> {
    const { receive } = this.#files;
    if (receive === undefined) throw new CmsError("usage", "files cannot be written here");
    await this.#files.makeDirectory(this.#directory);
    const top = await this.#files.realPath(this.#directory);
    let parent = this.#directory;
    // Part by part, so that no directory is made where a link leads.
    for (const part of path.split("/").slice(0, -1)) {
      parent = `${parent}/${part}`;
      await this.#files.makeDirectory(parent);
      const real = await this.#files.realPath(parent);
      if (!real.startsWith(`${top}/`)) throw new CmsError("usage", `${parent} leads out of ${this.#directory}`);
    }
    await receive(this.at(path), pieces, modifiedMs);
  }

  #placed(job: Job, file: string): string {
    switch (this.#layout) {
      case "job":
        return `${job.name}/${file}`;
      case "host":
        return `${part(placeOf(job) ?? "unknown")}/${job.name}/${file}`;
      case "params": {
        const params = Object.entries(job.params ?? {}).map(([name, value]) => part(`${name}=${value}`));
        return [...(params.length === 0 ? [job.name] : params), file].join("/");
      }
      case "flat": {
        const base = file.slice(file.lastIndexOf("/") + 1);
        return base.startsWith(job.name) ? base : `${job.name}-${base}`;
      }
      default:
        return this.#layout satisfies never;
    }
  }
}

/** A text as the name of a directory. */
function part(text: string): string {
  const plain = text.replace(/[/\p{C}\ufffd]/gu, "_").slice(0, 100);
  return plain === "." || plain === ".." || plain === "" ? "_" : plain;
}
