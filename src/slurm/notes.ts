/**
 * The names of a queue's submits, in a file beside the queue. Each is durable before Slurm hears of it, so that a later
 * run finds what a killed one has left. A line is one of `+ NAME ENTRY COUNT TIME` (to be submitted), `= NAME` (Slurm
 * has confirmed it) and `- NAME` (nothing is left of it).
 *
 * @module
 */

import type { Files } from "../deps.ts";

/** One submit. */
export interface SubmitNote {
  readonly name: string;
  /** Id of its entry in the cluster. */
  readonly entry: string;
  readonly count: number;
  /** When it was noted, epoch ms. */
  readonly atMs: number;
  /** Slurm has confirmed it. */
  readonly isKnown: boolean;
}

/** The file. */
export class SubmitNotes {
  readonly #files: Pick<Files, "readText" | "openAppend" | "syncDirectory" | "remove">;
  readonly #path: string;
  /** Lines are written one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(files: Pick<Files, "readText" | "openAppend" | "syncDirectory" | "remove">, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** Those of which something may be left. A torn last line was never followed by a submit. */
  async read(): Promise<SubmitNote[]> {
    const open = new Map<string, SubmitNote>();
    const text = await this.#files.readText(this.#path) ?? "";
    for (const line of text.split("\n").slice(0, -1)) {
      const [sign, name = "", entry = "", count = "", time = ""] = line.split(" ");
      const known = open.get(name);
      if (sign === "+") open.set(name, { name, entry, count: Number(count), atMs: Number(time), isKnown: false });
      else if (sign === "=" && known !== undefined) open.set(name, { ...known, isKnown: true });
      else if (sign === "-") open.delete(name);
    }
    return [...open.values()].filter(({ count, atMs }) => count > 0 && Number.isFinite(atMs));
  }

  /** Notes a submit; durable when the promise resolves. */
  add({ name, entry, count, atMs }: SubmitNote): Promise<void> {
    return this.#append(`+ ${name} ${entry} ${count} ${atMs}`, true);
  }

  /** Slurm has it. */
  confirm(name: string): Promise<void> {
    return this.#append(`= ${name}`, false);
  }

  /** Nothing is left of it. When nothing is left of any, the file goes. */
  async forget(name: string): Promise<void> {
    await this.#append(`- ${name}`, false);
    await this.#then(async () => {
      if ((await this.read()).length === 0) await this.#files.remove(this.#path);
    });
  }

  #append(line: string, isDurable: boolean): Promise<void> {
    return this.#then(async () => {
      const file = (await this.#files.openAppend(this.#path, { create: true }))!;
      try {
        // A line that was torn ends here.
        const size = await file.size();
        const isTorn = size > 0 && (await file.readFrom(size - 1))[0] !== 10;
        await file.append(new TextEncoder().encode(`${isTorn ? "\n" : ""}${line}\n`));
        if (isDurable) await file.sync();
      } finally {
        file.close();
      }
      if (isDurable) await this.#files.syncDirectory(this.#path.slice(0, this.#path.lastIndexOf("/")));
    });
  }

  #then(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
