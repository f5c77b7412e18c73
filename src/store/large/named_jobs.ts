/**
 * A queue opened for a few jobs by name: adding one to 100,000, or changing one of them, must not cost 100,000.
 *
 * The quick way needs a large YAML file that the program wrote and nobody touched since (its stamp stands in the
 * journal), and a journal that ends whole. Then all that matters of the YAML are the entries of the named jobs, and of
 * the journal the records that name them: all records apply, see `merge.ts`. Anything else (an edit, a torn end, a
 * checkpoint that is due, a directory that was copied) is left to the queue as a whole. Both ways append the same
 * records under the same lock.
 *
 * @module
 */

import { CmsError, StoreError } from "../../errors.ts";
import type { Deps } from "../../deps.ts";
import type { JobName } from "../../names/grammar.ts";
import type { Job } from "../../job/job.ts";
import type { Change, Jobs } from "../changes.ts";
import { findLines, readBlockAt } from "./find_entry.ts";
import { parseJobs } from "../yaml/job_record.ts";
import { JournalFile } from "../journal/journal_file.ts";
import { applyRecord } from "../state/merge.ts";
import { isAsWritten, isCheckpointDue, SMALL_YAML_BYTES } from "./checkpoint_due.ts";
import { locked } from "../lock.ts";
import { type StorePaths, storePaths } from "../paths.ts";
import { openQueue, placeOf } from "../queue_file.ts";
import { recordsOf, stamped } from "../journal/journal_records.ts";
import type { QueueStore, StoreRef } from "../store.ts";
import { keyLine } from "../yaml/yaml.ts";

/** Each is a search of its own; from about so many on reading all is as fast. */
const MOST_NAMES = 4;

/** The part of {@link QueueStore} that needs only some jobs. */
export class NamedJobs {
  readonly #deps: Deps;
  readonly #ref: StoreRef;
  readonly #paths: StorePaths;
  readonly #names: readonly JobName[];
  readonly #journal: JournalFile;
  #jobs = new Map<JobName, Job>();
  #yamlBytes = 0;
  #whole: QueueStore | null = null;

  /**
   * Touches no file. `names`: of all jobs that are looked at or changed; those that do not exist are left out of
   * `jobs`.
   */
  constructor(deps: Deps, ref: StoreRef, names: readonly string[]) {
    this.#deps = deps;
    this.#ref = ref;
    this.#paths = storePaths(ref, "queue");
    this.#names = names as readonly JobName[];
    this.#journal = new JournalFile(deps.files, this.#paths, ref.experiment);
  }

  /** The named jobs (and perhaps others) as of the last commit. */
  get jobs(): Jobs {
    return this.#whole?.jobs ?? this.#jobs;
  }

  /**
   * As {@link QueueStore.commit}, durable.
   * @throws {CmsError} `not_found` if there is no such queue; {@link StoreError} if it cannot be read or written.
   */
  async commit(decide: () => readonly Change[]): Promise<void> {
    // A lock is a file, and none is made for a queue that does not exist.
    if (this.#whole === null && this.#names.length <= MOST_NAMES && await this.#isLarge()) {
      const done = await locked(this.#deps, this.#paths, async () => {
        if (!await this.#read()) return false;
        const records = recordsOf(decide(), this.#jobs);
        if (records.length === 0) return true;
        const yamlBytes = this.#yamlBytes;
        await this.#journal.append(stamped(records, this.#deps.clock.epochMs()), { durable: true, yamlBytes });
        for (const record of records) applyRecord(this.#jobs, record);
        return true;
      });
      if (done) return;
    }
    await (await this.#open()).commit(decide);
  }

  /** As {@link QueueStore.checkpoint}. */
  async checkpoint(policy: "cheap"): Promise<void> {
    if (this.#whole === null && !isCheckpointDue({ yamlBytes: this.#yamlBytes, journalBytes: this.#journal.bytes })) {
      return;
    }
    await (await this.#open()).checkpoint(policy);
  }

  /** Releases all that is held. */
  close(): void {
    this.#journal.close();
    this.#whole?.close();
  }

  async #open(): Promise<QueueStore> {
    return this.#whole ??= await openQueue(this.#deps, this.#ref);
  }

  async #isLarge(): Promise<boolean> {
    const stamp = await this.#deps.files.stamp(this.#paths.file).catch(() => null);
    return stamp !== null && stamp.sizeBytes >= SMALL_YAML_BYTES;
  }

  /** Reads the named jobs under the lock; false if only the queue as a whole can be read. */
  async #read(): Promise<boolean> {
    const { files } = this.#deps;
    try {
      const yaml = await files.stamp(this.#paths.file);
      const records = await this.#journal.readOf(this.#names);
      const { header } = this.#journal;
      if (yaml === null || records === null || !isAsWritten(header, yaml)) return false;
      if (header?.at !== await placeOf(this.#deps, this.#ref)) return false;
      this.#yamlBytes = yaml.sizeBytes;
      this.#jobs = await this.#readYaml();
      for (const record of records) applyRecord(this.#jobs, record);
      return true;
    } catch (error) {
      // Whoever reads it all says what is wrong.
      if (error instanceof StoreError || !(error instanceof CmsError)) return false;
      throw error;
    }
  }

  async #readYaml(): Promise<Map<JobName, Job>> {
    const { files } = this.#deps;
    const { file, shown } = this.#paths;
    const jobs = new Map<JobName, Job>();
    for (const at of await findLines(files, file, this.#names.map(keyLine))) {
      if (at === null) continue;
      const text = new TextDecoder().decode(await readBlockAt(files, file, at));
      for (const [name, job] of parseJobs(text, { shown, experiment: this.#ref.experiment })) jobs.set(name, job);
    }
    return jobs;
  }
}
