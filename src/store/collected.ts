/**
 * Which outputs of a queue's jobs stand on the manager: a line of JSON for each in a file beside the queue. A file that
 * is another one than the one that was noted (somebody changed or removed it) does not count.
 *
 * @module
 */

import type { Deps, FileStamp } from "../deps.ts";
import type { AttemptId } from "../job/attempt.ts";
import type { JobName } from "../names/grammar.ts";
import { storePaths } from "./paths.ts";
import type { StoreRef } from "./store.ts";

/** Beyond this the file is written anew when it is opened for writing. */
const MOST_BYTES = 8 * 1024 * 1024;

/** What was collected of one attempt. `directory` is a name in the experiment directory. */
export interface CollectedJob {
  readonly job: JobName;
  readonly attempt: AttemptId;
  readonly directory: string;
  /** By the file's name: what it was when it was written. A file that the host did not have is missing. */
  readonly files: Readonly<Record<string, Stamp>>;
  /** All other files that a run brings were brought, too. */
  readonly all?: boolean;
}

/** Size, time and inode of a file. */
type Stamp = readonly [sizeBytes: number, modifiedMs: number, inode: number];

/** The outputs of one queue on the manager. */
export class Collected {
  readonly #deps: Deps;
  readonly #ref: StoreRef;
  readonly #path: string;
  readonly #jobs = new Map<JobName, CollectedJob>();
  #sizeBytes = 0;

  private constructor(deps: Deps, ref: StoreRef) {
    this.#deps = deps;
    this.#ref = ref;
    this.#path = storePaths(ref, "queue").collected;
  }

  /** Reads what is noted. What cannot be read counts as nothing. */
  static async open(deps: Deps, ref: StoreRef): Promise<Collected> {
    const collected = new Collected(deps, ref);
    const text = await deps.files.readText(collected.#path).catch(() => null) ?? "";
    collected.#sizeBytes = text.length;
    for (const line of text.split("\n")) {
      const record = parsed(line);
      if (record !== null) collected.#jobs.set(record.job, record);
    }
    return collected;
  }

  /** True if this attempt was collected, whatever became of its files. */
  has(job: JobName, attempt: AttemptId, what: "output" | "all" = "output"): boolean {
    const record = this.#jobs.get(job);
    return record?.attempt === attempt && (what === "output" || record.all === true);
  }

  /** Notes that all other files of the job were brought, too. */
  async noteAll(job: JobName): Promise<void> {
    const record = this.#jobs.get(job);
    if (record !== undefined) await this.note({ ...record, all: true });
  }

  /** Path of a file that was collected of an attempt, and its size; null if it does not stand here as it was. */
  async find(job: JobName, attempt: AttemptId, file: string): Promise<{ path: string; sizeBytes: number } | null> {
    const record = this.#jobs.get(job);
    const noted = record?.attempt === attempt ? record.files[file] : undefined;
    if (record === undefined || noted === undefined) return null;
    const path = `${this.#ref.directory}/${record.directory}/${file}`;
    const stamp = await this.#deps.files.stamp(path).catch(() => null);
    return stamp !== null && isSame(noted, stamp) ? { path, sizeBytes: stamp.sizeBytes } : null;
  }

  /**
   * The name of the directory into which a job's files may go: `JOB`, or `JOB.QUEUE-ID` where `JOB` has files of these
   * names that were not collected for this queue.
   */
  async directoryFor(job: JobName, queueId: string, names: readonly string[]): Promise<string> {
    const own = this.#jobs.get(job);
    for (const name of names) {
      const stamp = await this.#deps.files.stamp(`${this.#ref.directory}/${job}/${name}`).catch(() => null);
      const noted = own?.directory === job ? own.files[name] : undefined;
      if (stamp !== null && (noted === undefined || !isSame(noted, stamp))) return `${job}.${queueId}`;
    }
    return job;
  }

  /** Notes what was collected. */
  async note(record: CollectedJob): Promise<void> {
    this.#jobs.set(record.job, record);
    const { files } = this.#deps;
    if (this.#sizeBytes > MOST_BYTES) {
      const lines = [...this.#jobs.values()].map((one) => `${JSON.stringify(one)}\n`).join("");
      await files.replace(this.#path, lines);
      this.#sizeBytes = 0;
      return;
    }
    const line = `${JSON.stringify(record)}\n`;
    this.#sizeBytes += line.length;
    const file = await files.openAppend(this.#path, { create: true });
    try {
      await file?.append(new TextEncoder().encode(line));
    } finally {
      file?.close();
    }
  }
}

/** What is kept of a file's stamp. */
export function stampOfFile({ sizeBytes, modifiedMs, inode }: FileStamp): Stamp {
  return [sizeBytes, modifiedMs, inode];
}

function isSame([sizeBytes, modifiedMs, inode]: Stamp, stamp: FileStamp): boolean {
  return sizeBytes === stamp.sizeBytes && modifiedMs === stamp.modifiedMs && inode === stamp.inode;
}

function parsed(line: string): CollectedJob | null {
  try {
    const { job, attempt, directory, files, all } = JSON.parse(line) as Partial<CollectedJob>;
    const isWhole = [job, attempt, directory].every((one) => typeof one === "string") && !directory!.includes("/");
    if (!isWhole || typeof files !== "object") return null;
    return { job: job!, attempt: attempt!, directory: directory!, files, ...all === true ? { all } : {} };
  } catch {
    return null;
  }
}
