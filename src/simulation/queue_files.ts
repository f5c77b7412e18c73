/**
 * The files of the queue as an onlooker sees them: whether they are whole, and say what was acknowledged.
 *
 * @module
 */

import type { Job } from "../job/job.ts";
import type { JobName } from "../names/grammar.ts";
import type { Jobs } from "../store/changes.ts";
import { storePaths } from "../store/paths.ts";
import { owedFiles } from "../store/owed_notices.ts";
import { openQueue } from "../store/queue_file.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";
import { equalJobs, parseJobs } from "../store/yaml/job_record.ts";
import type { Ledger } from "./ledger.ts";
import type { Manager } from "./manager.ts";
import type { SimProcess } from "./process.ts";
import type { Timeline } from "./timeline.ts";
import type { Truth } from "./truth.ts";

/** A run looks five times a second, and writes the YAML anew once a second, or when it has time. */
const ANEW_MS = 20_000;

/** What an onlooker of the files knows of the world. */
export interface QueueFilesParts {
  readonly queue: StoreRef;
  readonly manager: Manager;
  readonly timeline: Timeline;
  readonly truth: Truth;
  readonly ledger: Ledger;
  /** The queue as each process that runs it has it. */
  readonly stores: ReadonlyMap<SimProcess, QueueStore>;
}

/** YAML and journal of one queue. */
export class QueueFiles {
  readonly yamlPath: string;
  readonly journalPath: string;
  /** The process that wrote to the journal last. */
  lastWriter: SimProcess | null = null;
  /** A person has left the YAML torn. */
  isTorn = false;
  /** When a person removed a file; a run writes it anew within {@link ANEW_MS}. */
  removedMs = -Infinity;
  readonly #parts: QueueFilesParts;
  /** The text of the YAML that was last found to be whole. */
  #wholeYaml = "";
  #yamlWrites = 0;
  #lookAtPause = (): void => {};

  constructor(parts: QueueFilesParts) {
    this.#parts = parts;
    const { file, journal } = storePaths(parts.queue, "queue");
    this.yamlPath = file;
    this.journalPath = journal;
  }

  /** From now on the YAML is looked at when somebody writes it. */
  watch(jobs: number): void {
    this.#parts.manager.disk.onChange((path) => {
      // Large files take long to read; what is wrong with one is wrong with small ones too.
      if (path === this.yamlPath && (++this.#yamlWrites % 8 === 1 || jobs < 20)) this.checkYaml();
    });
  }

  /** From now on it is noted when the file of the pause comes and goes. */
  watchPause(times: { pauseSeen(isThere: boolean, nowMs: number): void }): void {
    const { queue, manager: { disk }, timeline } = this.#parts;
    const { pause } = storePaths(queue, "queue");
    this.#lookAtPause = () => times.pauseSeen(disk.textNow(pause) !== null, timeline.nowMs);
    disk.onChange((path) => {
      if (path === pause) this.#lookAtPause();
    });
  }

  /** The power went: files that were not durable are gone. */
  powerCut(): void {
    this.lastWriter = null;
    this.#lookAtPause();
  }

  /** True if a file says that somebody is to be told of the end of a run. */
  get isTellingOwed(): boolean {
    const { queue, manager: { disk } } = this.#parts;
    // A power cut may leave a part of the text, which nobody can read.
    return owedFiles(storePaths(queue, "queue")).some((path) => /.\n$/.test(disk.textNow(path) ?? ""));
  }

  /**
   * The queue as whoever reads the files now has it; null while somebody writes, or while a person has left the YAML
   * torn.
   */
  async read(): Promise<ReadonlyMap<JobName, Job> | null> {
    // A run that has ended has written it anew.
    if (this.#parts.stores.size > 0 && this.#parts.timeline.nowMs < this.removedMs + ANEW_MS) return null;
    const lock = await this.#parts.manager.disk.lock(storePaths(this.#parts.queue, "queue").lock, {
      mode: "shared",
      wait: false,
    });
    if (lock === null) return null;
    lock.release();
    const store = await openQueue({
      files: this.#parts.manager.disk,
      // As if the files had been left alone for a while.
      clock: {
        now: () => this.#parts.timeline.nowMs,
        epochMs: () => this.#parts.timeline.nowMs + this.#parts.manager.diskAheadMs + 60_000,
        sleepUntil: () => Promise.resolve(),
      },
      ids: { hex: (bytes) => "0".repeat(bytes * 2) },
      processes: {
        spawn() {
          throw new Error("an onlooker starts nothing");
        },
      },
      environment: { get: () => undefined, cwd: () => "/home/me", user: () => "me", hostname: () => "manager", pid: 1 },
    }, this.#parts.queue).catch((error: Error) => {
      if (!this.isTorn) this.#parts.truth.fail(`the queue cannot be read: ${error.message}`);
      return null;
    });
    store?.close();
    return store === null ? null : store.jobs;
  }

  /** Checks the files: the YAML parses, what was acknowledged is there, a run that wrote last sees the same. */
  async check(): Promise<void> {
    const jobs = await this.read();
    if (jobs === null || this.isTorn) return;
    const broken = this.#parts.ledger.check(jobs);
    if (broken !== null) this.#parts.truth.fail(broken);
    const live = this.lastWriter === null ? undefined : this.#parts.stores.get(this.lastWriter);
    if (live === undefined) return;
    const names = [...jobs.keys()];
    const other = [...jobs.values()].find((job) => {
      const one = live.jobs.get(job.name);
      return one === undefined || !equalJobs(job, one);
    });
    if (other === undefined && String(names) === String([...live.jobs.keys()])) return;
    const seen = other === undefined ? [...live.jobs.keys()] : live.jobs.get(other.name);
    this.#parts.truth.fail(
      `the files say another state than the run has: ${JSON.stringify(other ?? names)}, ${JSON.stringify(seen)}`,
    );
  }

  /** When nothing runs the YAML alone says all, see docs/reliability.md. */
  async checkComplete(jobs: Jobs): Promise<void> {
    const { file, shown } = storePaths(this.#parts.queue, "queue");
    const text = await this.#parts.manager.disk.readText(file) ?? "";
    const written = [...parseJobs(text, { shown, experiment: this.#parts.queue.experiment }).values()];
    const all = [...jobs.values()];
    const differs = written.length !== all.length || all.some((job, i) => !equalJobs(job, written[i]!));
    if (differs && !this.isTorn) {
      this.#parts.truth.fail("nothing runs, and the YAML does not say what the journal does");
    }
  }

  /** The YAML must parse whenever somebody looks. */
  checkYaml(): void {
    try {
      const text = this.#parts.manager.disk.textNow(this.yamlPath);
      if (text === null || text === this.#wholeYaml || this.isTorn) return;
      parseJobs(text, { shown: this.yamlPath, experiment: "experiment" });
      this.#wholeYaml = text;
    } catch (error) {
      this.#parts.truth.fail(`the YAML does not parse: ${(error as Error).message}`);
    }
  }
}

/** The ids in the text of a queue file, in its order. An entry that a person has just written has none. */
export function entryIds(text: string): string[] {
  return Array.from(text.matchAll(/^ {2}id: '?([0-9A-Za-z]+)/gm), ([, id]) => id!);
}
