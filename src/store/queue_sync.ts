/**
 * Keeps the jobs in memory in step with both files of an open queue. What others wrote is read, what a person or a
 * crash left behind is mended.
 *
 * @module
 */

import { CmsError, StoreError } from "../errors.ts";
import type { Deps, FileLock, FileStamp } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import type { Jobs } from "./changes.ts";
import { storeError } from "./file_errors.ts";
import type { JournalRecord } from "./journal/journal.ts";
import type { CarriedRecords } from "./journal/journal_place.ts";
import { changesBetween, recordsOf } from "./journal/journal_records.ts";
import { OwnJournal } from "./journal/own_journal.ts";
import { sameStamp } from "./lock.ts";
import type { StorePaths } from "./paths.ts";
import { RunClaim } from "./run_claim.ts";
import { readSnapshot, Snapshot } from "./snapshot.ts";
import { SMALL_YAML_BYTES } from "./large/checkpoint_due.ts";
import { readWritten, type WrittenQueue } from "./large/written_queue.ts";
import { mergeRecord } from "./state/merge.ts";
import { QueueState } from "./state/queue_state.ts";
import { parseJobs } from "./yaml/job_record.ts";
import { YamlFile } from "./yaml/yaml_file.ts";

/** See the module. */
export class QueueSync {
  /** The jobs in memory. */
  readonly state = new QueueState();
  readonly journal: OwnJournal;
  readonly yaml: YamlFile;
  readonly claim: RunClaim;
  readonly #deps: Deps;
  readonly #paths: StorePaths;
  readonly #experiment: string;
  #loaded = false;
  /** The YAML cannot be read now. */
  #broken = false;
  /** It is not there. */
  #gone = false;
  /** Why, if things were written that only stand there: nothing can be decided on what is known. */
  #outdated: CmsError | null = null;
  /** What the YAML says by itself, if a person edited it since the journal was begun. */
  #edited: Jobs | null = null;
  /** What keeps jobs in flight as they are, and undoes a stale edit, until it is in the journal. */
  #repairs: JournalRecord[] = [];

  /** Touches no file. `at`: the host and directory where the queue lives. */
  constructor(deps: Deps, paths: StorePaths, experiment: string, at: string) {
    this.#deps = deps;
    this.#paths = paths;
    this.#experiment = experiment;
    this.yaml = new YamlFile(deps, paths);
    this.journal = new OwnJournal(deps, paths, experiment, this.yaml, at);
    this.claim = new RunClaim(deps, paths);
  }

  /** The YAML cannot be read now. */
  get isBroken(): boolean {
    return this.#broken;
  }

  /** The YAML is not there. */
  get isGone(): boolean {
    return this.#gone;
  }

  /** A person edited the YAML since the journal was begun. */
  get isEdited(): boolean {
    return this.#edited !== null;
  }

  /** @throws {CmsError} If the queue has changes that cannot be read: nothing can be decided then. */
  needCurrent(): void {
    if (this.#outdated !== null) throw this.#outdated;
  }

  /**
   * Takes in what others wrote. Without the lock nothing is written, and nobody is held up.
   * @throws {StoreError} If the journal is damaged or cannot be read.
   */
  async refresh(lock: FileLock | null): Promise<void> {
    try {
      let [journal, yaml] = await this.#stamps();
      const isLost = this.#mayRecover(lock) && !this.journal.isKnown(journal);
      if (isLost && this.journal.isKnown(journal, true)) {
        // The disk did not take it, but it can be read: the same in a new file.
        this.state.take(await this.journal.readMore(journal));
        await this.journal.rename();
        [journal, yaml] = await this.#stamps();
      } else if (isLost && await this.#recover()) [journal, yaml] = await this.#stamps();
      // What was to go into the journal is no more what has to, once others wrote there.
      const isOvertaken = this.#repairs.length > 0 && !sameStamp(journal, this.journal.stamp);
      const sameJournal = this.journal.isSame(journal) && !isOvertaken;
      const sameYaml = sameStamp(yaml, this.yaml.stamp) && !this.yaml.isInDoubt();
      if (!(sameJournal && this.#loaded && (sameYaml || await this.#isTouched(yaml)))) await this.#rebuild(lock, yaml);
      else if (!sameStamp(journal, this.journal.stamp)) this.state.take(await this.journal.readMore(journal));
    } catch (error) {
      const isDamaged = error instanceof StoreError && error.path === this.#paths.shownJournal;
      if (isDamaged && this.#mayRecover(lock) && await this.#recover()) return;
      throw storeError(this.#paths.shown, "read", error);
    }
  }

  #mayRecover(lock: FileLock | null): boolean {
    return lock !== null && this.claim.isOurs && this.#loaded;
  }

  /** True if the YAML has another stamp, or may have been changed without one, and still the same text. */
  async #isTouched(stamp: FileStamp | null): Promise<boolean> {
    if (this.#broken) return false;
    const read = await this.yaml.read();
    if (read instanceof CmsError || read.hash !== this.yaml.hash) return false;
    this.yaml.known(stamp);
    return true;
  }

  /**
   * The journal is not the one that this run has written: all that the run knows is written anew. False if it is, after
   * all.
   */
  async #recover(): Promise<boolean> {
    const found = await this.journal.find();
    if (this.journal.isBegun(found.header)) return false;
    const jobs = new Map(this.state.jobs);
    this.state.take(found.records.flatMap((record) => mergeRecord(jobs, record) ?? []));
    const read = await this.yaml.read();
    const at = { shown: this.#paths.shown, experiment: this.#experiment };
    const isOurs = !(read instanceof CmsError) && read.hash === this.yaml.hash;
    // A file that was edited as well, or is gone, says nothing that could be relied on.
    const base = isOurs ? parseJobs(read.text, at) : new Map<JobName, Job>();
    const records = recordsOf(changesBetween(base, this.state.jobs), base);
    await this.journal.beginAnew(records, this.state.jobs.values());
    this.#repairs = [];
    this.state.differs ||= records.length > 0;
    this.state.external.warn(
      `${this.#paths.shownJournal} was removed or damaged; it was written anew, nothing is lost`,
    );
    return true;
  }

  /** Reads all anew: another journal, or an edited YAML. */
  async #rebuild(lock: FileLock | null, yaml: FileStamp | null): Promise<void> {
    const mark = this.journal.mark;
    const isLarge = (yaml?.sizeBytes ?? 0) >= SMALL_YAML_BYTES;
    const taker = () => this.yaml.taker();
    const read = (isLarge ? await readWritten(this.#deps, this.#paths, this.journal, { taker }) : null) ??
      await readSnapshot(this.#deps, this.#paths, this.journal, lock);
    const isKnown = this.journal.continues(mark);
    const fresh = isKnown ? read.records.slice(mark.records) : read.records;
    const file = this.#parse(read, isKnown);
    // What an edit before this one needs depends on what others wrote since.
    const base = file ?? (this.#edited === null ? null : { jobs: new Map(this.#edited), hash: this.yaml.hash });
    if (base === null) return this.state.take(fresh);
    const { external } = this.state;
    for (const record of fresh) if (record.type === "kill") external.kill(record.jobs);
    const merged = read.merge(base.jobs, base.hash);
    for (const line of merged.warnings) external.warn(line);
    this.#repairs = [...merged.kept];
    // Those that were there before this process, too: an editor may hold a text of before them.
    this.state.note(fresh);
    // Only who runs the queue knows what is stale.
    if (isKnown && this.#loaded && this.claim.isOurs) {
      for (const one of this.state.undoStaleEdit(merged, fresh)) this.#repairs.push(one);
    }
    this.state.replace(merged.jobs, this.#deps.ids, !this.#loaded);
    this.yaml.hash = base.hash;
    this.yaml.known(read.stamp);
    this.#edited = merged.file;
    this.state.differs = merged.differs || this.#repairs.length > 0;
    this.#loaded = true;
  }

  /**
   * What the YAML says; null if it cannot be read and the queue goes on with what it knows.
   * @param isKnown The journal is the one that was read before.
   */
  #parse(read: Snapshot | WrittenQueue, isKnown: boolean): { jobs: Map<JobName, Job>; hash: string } | null {
    try {
      const jobs = read instanceof Snapshot ? read.parse(this.yaml.taker()) : read.parse();
      this.#broken = this.#gone = false;
      this.#outdated = null;
      return { jobs, hash: read.yaml.hash };
    } catch (error) {
      if (!this.#loaded || !(error instanceof CmsError)) throw error;
      this.#broken = true;
      this.#gone = error.code === "not_found";
      const { isOurs } = this.claim;
      // Both files are gone: the queue was deleted, and is not to come back from what we know. With its journal still
      // there it is an editor that puts a new file in place of the old one.
      if (this.#gone && read.header === null && !isOurs) throw error;
      // Where another has begun the journal anew, what it wrote before stands in the file alone.
      if (!isKnown && !isOurs) this.#outdated = error;
      this.state.external.warn(
        this.#gone && isOurs
          ? `${this.#paths.shown} was removed; it is written anew, nothing is lost`
          : `${error.message}; the queue goes on with what was read before`,
      );
      this.yaml.known(read.stamp);
      return null;
    }
  }

  /**
   * Writes into the journal what has to stand there before anything else. Called under the lock. @throws {StoreError}
   */
  async writeRepairs(): Promise<void> {
    if (this.#repairs.length === 0) return;
    // A run does it itself: it has to tell people of it, and to write the file anew.
    if (!this.claim.isOurs && await this.claim.runner() !== null) return;
    await this.journal.ensure(this.state.jobs);
    await this.journal.append(this.#repairs, { durable: true });
    this.#repairs = [];
  }

  /** The YAML has these jobs: a new journal begins, with what was written since the jobs were these. */
  async yamlWritten(jobs: Iterable<Job>, carried?: CarriedRecords): Promise<void> {
    this.state.idsWritten();
    this.#broken = this.#gone = false;
    await this.beginJournal(jobs, carried);
  }

  /** A new journal for the YAML as it is. */
  async beginJournal(jobs: Iterable<Job> = this.state.jobs.values(), carried?: CarriedRecords): Promise<void> {
    await this.journal.beginAnew([], jobs, carried);
    this.#edited = null;
    this.state.differs = carried !== undefined && carried.records > 0;
    this.state.external.forgetWarnings();
  }

  #stamps(): Promise<[journal: FileStamp | null, yaml: FileStamp | null]> {
    const { files } = this.#deps;
    return Promise.all([files.stamp(this.#paths.journal), files.stamp(this.#paths.file)]);
  }
}
