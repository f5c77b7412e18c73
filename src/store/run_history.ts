/**
 * The runs that a queue had: a line of JSON when a run begins, another when it ends, in a file beside the queue that is
 * kept small. Nothing depends on it: what cannot be written is left out.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { isoSeconds } from "../job/job.ts";
import type { StorePaths } from "./paths.ts";

/** Runs that are kept at least. */
const KEPT = 100;
/** A longer file is cut when a run begins. */
const MOST_BYTES = 64 * 1024;

/** What is known of a run when it begins. */
export interface RunBegin {
  readonly run: string;
  readonly pid: number;
  /** `user@manager`. */
  readonly by: string;
  readonly scheduler: string;
  readonly cluster: string | null;
  readonly slots: number;
}

/** What is known of it at its end. */
export interface RunEnd {
  /** `done`, `stopped`, `halted`, `no_hosts`, or `error`. */
  readonly outcome: string;
  /** Jobs that it ran; that failed, but for those that never started because of others; and that still waited. */
  readonly ran: number;
  readonly failed: number;
  readonly waiting: number;
  /** Machines that it reached. */
  readonly machines: readonly string[];
  /** How long it went on; missing in files of older versions. */
  readonly tookMs?: number;
}

/** A run that was, or is. `end` null: it goes on, or was killed. */
export interface PastRun extends RunBegin {
  readonly began: string;
  readonly ended: string | null;
  readonly end: RunEnd | null;
}

/** Writes of one run. */
export class RunHistory {
  readonly #deps: Deps;
  readonly #paths: StorePaths;
  readonly #run: string;
  #beganMs = 0;

  /** Touches no file. */
  constructor(deps: Deps, paths: StorePaths, run: string) {
    this.#deps = deps;
    this.#paths = paths;
    this.#run = run;
  }

  /** The run has begun. */
  async begin(begin: RunBegin): Promise<void> {
    const { files, clock } = this.#deps;
    this.#beganMs = clock.now();
    try {
      if (((await files.stamp(this.#paths.history))?.sizeBytes ?? 0) > MOST_BYTES) {
        const lines = (await files.readText(this.#paths.history) ?? "").split("\n").filter((line) => line !== "");
        await files.replace(this.#paths.history, lines.slice(-2 * KEPT).map((line) => `${line}\n`).join(""));
      }
    } catch {
      // It stays long.
    }
    await this.#append({ ...begin, began: this.#now() });
  }

  /** The run has ended. */
  async end(end: RunEnd): Promise<void> {
    const tookMs = Math.round(this.#deps.clock.now() - this.#beganMs);
    await this.#append({ run: this.#run, ended: this.#now(), ...end, tookMs });
  }

  #now(): string {
    return isoSeconds(this.#deps.clock.epochMs());
  }

  async #append(line: object): Promise<void> {
    try {
      const file = await this.#deps.files.openAppend(this.#paths.history, { create: true });
      try {
        await file?.append(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
      } finally {
        file?.close();
      }
    } catch {
      // A full disk, say.
    }
  }
}

/** The runs of a queue, the first one first. Lines that cannot be read are passed over. */
export async function readHistory(deps: Deps, paths: StorePaths): Promise<PastRun[]> {
  const runs = new Map<string, PastRun>();
  for (const line of (await deps.files.readText(paths.history) ?? "").split("\n")) {
    const record = parsed(line);
    if (record === null || typeof record.run !== "string") continue;
    const known = runs.get(record.run);
    if (typeof record.began === "string") {
      runs.set(record.run, { ...record as unknown as PastRun, ended: null, end: null });
    } else if (known !== undefined && typeof record.ended === "string") {
      const { run: _run, ended, ...end } = record;
      runs.set(record.run, { ...known, ended, end: end as unknown as RunEnd });
    }
  }
  return [...runs.values()];
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : null;
  } catch {
    return null;
  }
}
