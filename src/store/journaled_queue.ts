/**
 * A queue on files, opened: the YAML that people see and the journal of what happened since it was written, see
 * `journal.ts` for its text and `merge.ts` for what both together mean.
 *
 * Order of writes of a checkpoint, each durable before the next: a `fold` record with the new YAML's hash, the YAML, a
 * new journal. A crash between any two leaves a state that reads the same. Whoever writes holds the lock. Whoever reads
 * holds none, see `snapshot.ts`; that nothing changed is seen from the files' stamps.
 *
 * @module
 */

import { CmsError, StoreError } from "../errors.ts";
import type { Deps, FileLock, FileStamp } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import { ownIds, reconcileJobs } from "./state/reconcile.ts";
import type { Change, ExternalChanges, Jobs } from "./changes.ts";
import { isCheckpointDue } from "./large/checkpoint_due.ts";
import { parseJobs } from "./yaml/job_record.ts";
import type { JournalHeader, JournalRecord } from "./journal/journal.ts";
import { JournalFile } from "./journal/journal_file.ts";
import { applyRecord, hasEffect, type Merged, mergeRecord, mergeState } from "./state/merge.ts";
import { ChangeGatherer } from "./state/external_changes.ts";
import { RecentChanges, undoStaleEdit } from "./state/stale_edit.ts";
import { locked, sameStamp } from "./lock.ts";
import { notFound, storeError } from "./file_errors.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { readSnapshot } from "./snapshot.ts";
import { changesBetween, flightRecords, recordsOf, stamped } from "./journal/journal_records.ts";
import { readLastRun, readRunner, sweepTemporaries, takeRun } from "./run_claim.ts";
import type { LastRun, RunAbout, Runner } from "./run_status.ts";
import type { CheckpointPolicy, QueueStore, StoreRef } from "./store.ts";
import { YamlFile } from "./yaml/yaml_file.ts";

const TRIES = 5;

/** The {@link QueueStore} on real files. Made by `openQueue`. */
export class JournaledQueue implements QueueStore {
  /** Where the queue stands. */
  readonly ref: StoreRef;
  readonly #deps: Deps;
  readonly #paths: StorePaths;
  readonly #at: string;
  readonly #jobs = new Map<JobName, Job>();
  readonly #external = new ChangeGatherer();
  /**
   * Jobs whose id in the files is missing or another job's, with that id. They have one of their own in memory until it
   * is written.
   */
  readonly #provisional = new Map<JobName, string>();
  readonly #past = new RecentChanges();
  readonly #freshId: string;
  readonly #journal: JournalFile;
  readonly #yaml: YamlFile;
  #loaded = false;
  /** The YAML cannot be read now. */
  #broken = false;
  /** It is not there. */
  #gone = false;
  /** Why, if things were written that only stand there: nothing can be decided on what is known. */
  #outdated: CmsError | null = null;
  /** What the YAML says by itself, if a person edited it since the journal was begun. */
  #edited: Jobs | null = null;
  /** The YAML does not say what `#jobs` says. */
  #differs = false;
  #run: { lock: FileLock; runner: Runner } | null = null;
  /** Names a journal that is being begun here, or whose beginning failed; `""` where all is well. */
  #begun = "";
  /**
   * What keeps jobs in flight as they are, and makes up for a file that was saved from an older text, until it stands
   * in the journal.
   */
  #repairs: JournalRecord[] = [];

  /** Touches no file; {@link JournaledQueue.load} comes next. `at`: the host and directory where the queue lives. */
  constructor(deps: Deps, ref: StoreRef, at: string) {
    this.#deps = deps;
    this.ref = ref;
    this.#paths = storePaths(ref, "queue");
    this.#at = at;
    this.#freshId = deps.ids.hex(8);
    this.#journal = new JournalFile(deps.files, this.#paths, ref.experiment);
    this.#yaml = new YamlFile(deps, this.#paths);
  }

  /** Stable once there is a journal that says it, which {@link JournaledQueue.claimRun} and the first commit see to. */
  get id(): string {
    const header = this.#journal.header;
    return header?.at === this.#at ? header.queue : this.#freshId;
  }

  get jobs(): Jobs {
    return this.#jobs;
  }

  /** Reads all for the first time. */
  async load(): Promise<void> {
    await this.#refresh(null);
    const { warnings } = this.#takeExternal();
    this.#external.forgetWarnings();
    for (const text of warnings) this.#external.warn(text);
  }

  async sync(): Promise<ExternalChanges> {
    await this.#refresh(null);
    return this.#takeExternal();
  }

  async commit(
    decide: (external: ExternalChanges) => readonly Change[],
    options: { durable?: boolean } = {},
  ): Promise<void> {
    await locked(this.#deps, this.#paths, async (lock) => {
      await this.#refresh(lock);
      if (this.#outdated !== null) throw this.#outdated;
      const records = recordsOf(decide(this.#takeExternal()), this.#jobs);
      await this.#writeRepairs();
      if (records.length === 0) return;
      const ids = [...this.#provisional].flatMap(([name, was]): JournalRecord[] => {
        const id = this.#jobs.get(name)?.id;
        return id === undefined
          ? []
          : [{ type: "set", job: name, id: was, fields: { id }, was: { id: was }, whole: null }];
      });
      await this.#ensureJournal();
      await this.#journal.append([...ids, ...stamped(records, this.#deps.clock.epochMs())], {
        durable: options.durable ?? true,
        yamlBytes: this.#yaml.stamp?.sizeBytes ?? 0,
      });
      this.#provisional.clear();
      for (const record of ids) this.#past.note(record);
      for (const record of records) {
        this.#past.note(record);
        applyRecord(this.#jobs, record);
      }
      this.#differs ||= ids.length > 0 || records.some(hasEffect);
    });
  }

  checkpoint(policy: CheckpointPolicy): Promise<boolean> {
    return locked(this.#deps, this.#paths, (lock) => this.#checkpoint(policy, lock));
  }

  endRun(policy: CheckpointPolicy, mayEnd: (external: ExternalChanges) => boolean = () => true): Promise<boolean> {
    if (this.#run === null) return this.checkpoint(policy).then(() => true);
    return locked(this.#deps, this.#paths, async (lock) => {
      await this.#refresh(lock);
      if (!mayEnd(this.#takeExternal())) return false;
      try {
        await this.#checkpoint(policy, lock);
      } finally {
        this.#release();
      }
      return true;
    });
  }

  claimRun(run: string, about?: RunAbout): Promise<Runner | null> {
    return locked(this.#deps, this.#paths, async (lock) => {
      if (this.#run !== null) return this.#run.runner;
      await this.#refresh(lock);
      // A run is not to begin without the file, whatever the journal says.
      if (this.#yaml.stamp === null) throw notFound("queue", this.#paths.shown);
      await this.#ensureJournal();
      const { environment } = this.#deps;
      const who = { pid: environment.pid, hostname: environment.hostname(), run };
      const runner: Runner = about === undefined ? who : { ...who, about };
      let taken: FileLock | Runner;
      try {
        taken = await takeRun(this.#deps, this.#paths, runner);
      } catch (error) {
        throw storeError(this.#paths.shown, "claim the run", error);
      }
      if (!("release" in taken)) return taken;
      this.#run = { lock: taken, runner };
      // A run that was killed need not have made durable all that we have read, and that we are about to act on.
      await this.#journal.sync();
      await sweepTemporaries(this.#deps, this.ref, this.id);
      return null;
    });
  }

  async tellRun(about: RunAbout): Promise<void> {
    if (this.#run === null) return;
    this.#run.runner = { ...this.#run.runner, about };
    await this.#run.lock.describe(JSON.stringify(this.#run.runner) + "\n");
  }

  async runner(): Promise<Runner | null> {
    return this.#run?.runner ?? await readRunner(this.#deps, this.#paths);
  }

  lastRun(): Promise<LastRun | null> {
    return readLastRun(this.#deps, this.#paths);
  }

  /** Releases all that is held; the files stay as they are. */
  close(): void {
    this.#journal.close();
    this.#release();
  }

  #release(): void {
    this.#run?.lock.release();
    this.#run = null;
  }

  async #checkpoint(policy: CheckpointPolicy, lock: FileLock): Promise<boolean> {
    await this.#refresh(lock);
    await this.#writeRepairs();
    // Who runs the queue knows all of it, and nobody else may take the file away.
    const isToMake = this.#gone && this.#run !== null;
    if (!isToMake && (this.#broken || !(this.#differs || this.#edited !== null))) return false;
    const yamlBytes = this.#yaml.stamp?.sizeBytes ?? 0;
    if (policy === "cheap" && !isCheckpointDue({ yamlBytes, journalBytes: this.#journal.bytes })) return false;
    if (this.#run === null && await this.runner() !== null) return false;
    // Only a person changed something: the file stays as it was saved, with its comments.
    if (!isToMake && !this.#differs) return await this.#beginJournal(), true;
    return await this.#writeYaml(lock);
  }

  #takeExternal(): ExternalChanges {
    return this.#external.take(this.#jobs);
  }

  #stamps(): Promise<[journal: FileStamp | null, yaml: FileStamp | null]> {
    const { files } = this.#deps;
    return Promise.all([files.stamp(this.#paths.journal), files.stamp(this.#paths.file)]);
  }

  /**
   * Takes in what others wrote. Without the lock nothing is written, and nobody is held up.
   * @throws {StoreError} If the journal is damaged or cannot be read.
   */
  async #refresh(lock: FileLock | null): Promise<void> {
    try {
      let [journal, yaml] = await this.#stamps();
      const isLost = lock !== null && this.#run !== null && this.#loaded && !this.#journal.isKnown(journal);
      if (isLost && await this.#recover()) [journal, yaml] = await this.#stamps();
      // What was to go into the journal is no more what has to, once others wrote there.
      const isOvertaken = this.#repairs.length > 0 && !sameStamp(journal, this.#journal.stamp);
      const sameJournal = this.#journal.isSame(journal) && !isOvertaken;
      const sameYaml = sameStamp(yaml, this.#yaml.stamp) && !this.#yaml.isInDoubt();
      if (!(sameJournal && this.#loaded && (sameYaml || await this.#isTouched(yaml)))) await this.#rebuild(lock);
      else if (!sameStamp(journal, this.#journal.stamp)) this.#take(await this.#journal.readMore(journal));
    } catch (error) {
      const isDamaged = error instanceof StoreError && error.path === this.#paths.shownJournal;
      if (isDamaged && lock !== null && this.#run !== null && this.#loaded && await this.#recover()) return;
      throw storeError(this.#paths.shown, "read", error);
    }
  }

  /** True if the YAML has another stamp, or may have been changed without one, and still the same text. */
  async #isTouched(stamp: FileStamp | null): Promise<boolean> {
    if (this.#broken) return false;
    const read = await this.#yaml.read();
    if (read instanceof CmsError || read.hash !== this.#yaml.hash) return false;
    this.#yaml.known(stamp);
    return true;
  }

  /**
   * The journal is not the one that this run has written: all that the run knows is written anew. False if it is, after
   * all.
   */
  async #recover(): Promise<boolean> {
    const found = await this.#journal.find();
    if (found.header !== null && found.header.begun === this.#begun) return false;
    const jobs = new Map(this.#jobs);
    this.#take(found.records.flatMap((record) => mergeRecord(jobs, record) ?? []));
    const read = await this.#yaml.read();
    const at = { shown: this.#paths.shown, experiment: this.ref.experiment };
    const isOurs = !(read instanceof CmsError) && read.hash === this.#yaml.hash;
    // A file that was edited as well, or is gone, says nothing that could be relied on.
    const base = isOurs ? parseJobs(read.text, at) : new Map<JobName, Job>();
    const records = recordsOf(changesBetween(base, this.#jobs), base);
    await this.#begin([...records, ...flightRecords(this.#jobs)]);
    this.#repairs = [];
    this.#differs ||= records.length > 0;
    this.#external.warn(`${this.#paths.shownJournal} was removed or damaged; it was written anew, nothing is lost`);
    return true;
  }

  /** Reads all anew: another journal, or an edited YAML. */
  async #rebuild(lock: FileLock | null): Promise<void> {
    const mark = this.#journal.mark;
    const { read: { yaml, stamp }, records } = await readSnapshot(this.#deps, this.#paths, this.#journal, lock);
    const isKnown = this.#journal.continues(mark);
    const seen = isKnown ? mark.records : 0;
    const { header } = this.#journal;
    let read: Map<JobName, Job>;
    let hash = this.#yaml.hash;
    try {
      if (yaml instanceof CmsError) throw yaml;
      hash = yaml.hash;
      const at = { shown: this.#paths.shown, experiment: this.ref.experiment };
      read = parseJobs(yaml.text, at, this.#yaml.keep(yaml.text));
      this.#broken = this.#gone = false;
      this.#outdated = null;
    } catch (error) {
      if (!this.#loaded || !(error instanceof CmsError)) throw error;
      this.#broken = true;
      this.#gone = error.code === "not_found";
      // Both files are gone: the queue was deleted, and is not to come back from what we know. With its journal still
      // there it is an editor that puts a new file in place of the old one.
      if (error.code === "not_found" && header === null && this.#run === null) throw error;
      // Where another has begun the journal anew, what it wrote before stands in the file alone.
      if (!isKnown && this.#run === null) this.#outdated = error;
      this.#external.warn(
        this.#gone && this.#run !== null
          ? `${this.#paths.shown} was removed; it is written anew, nothing is lost`
          : `${error.message}; the queue goes on with what was read before`,
      );
      this.#yaml.known(stamp);
      if (this.#edited === null) return this.#take(records.slice(seen));
      // What is to be made up for the edit before it depends on what others wrote since.
      read = new Map(this.#edited);
    }
    for (const record of records.slice(seen)) if (record.type === "kill") this.#external.kill(record.jobs);
    const merged = mergeState({ jobs: read, hash }, header === null ? null : { header, records });
    for (const line of merged.warnings) this.#external.warn(line);
    this.#repairs = [...merged.kept];
    if (isKnown && this.#loaded) this.#repair(merged, records.slice(seen));
    ownIds(merged.jobs, this.#jobs, this.#provisional, this.#deps.ids);
    // At first all is new, and nobody is told.
    if (this.#loaded) reconcileJobs(merged.jobs, this.#jobs, this.#external);
    else for (const [name, job] of merged.jobs) this.#jobs.set(name, job);
    this.#yaml.hash = hash;
    this.#yaml.known(stamp);
    this.#edited = merged.file;
    this.#differs = merged.differs || this.#repairs.length > 0;
    this.#loaded = true;
  }

  /**
   * Makes up for a file that was saved from an older text, if the queue is ours: others would have to know what we
   * know.
   */
  #repair({ jobs, file }: Merged, fresh: readonly JournalRecord[]): void {
    for (const record of fresh) this.#past.note(record);
    if (file === null || this.#run === null) return;
    const ours = new Map(this.#jobs);
    for (const record of fresh) applyRecord(ours, record);
    const saved = { file, merged: jobs, ours, past: this.#past, provisional: this.#provisional };
    const { changes, warnings } = undoStaleEdit(saved);
    for (const line of warnings) this.#external.warn(line);
    const records = recordsOf(changes, jobs);
    for (const record of records) applyRecord(jobs, record);
    for (const record of records) this.#repairs.push(record);
  }

  async #writeRepairs(): Promise<void> {
    if (this.#repairs.length === 0) return;
    // A run does it itself: it has to tell people of it, and to write the file anew.
    if (this.#run === null && await this.runner() !== null) return;
    await this.#ensureJournal();
    await this.#journal.append(this.#repairs, { durable: true });
    this.#repairs = [];
  }

  /** Applies records that others wrote. */
  #take(records: readonly JournalRecord[]): void {
    for (const record of records) {
      this.#past.note(record);
      if (record.type === "kill") this.#external.kill(record.jobs);
      const name = record.type === "put" ? record.job.name : "job" in record ? record.job : null;
      if (name === null) continue;
      // Somebody wrote an id for a job that had none: it is still the same job.
      if (!(this.#provisional.delete(name) && record.type === "set" && record.fields.id !== undefined)) {
        const present = this.#jobs.get(name);
        // One that was deleted before comes back at the end.
        if (this.#external.touch(name, present) && present === undefined && record.type === "put") {
          this.#external.reordered();
        }
      }
      applyRecord(this.#jobs, record);
      this.#differs ||= hasEffect(record);
    }
  }

  /** Sees to it that the journal on the disk says our id and place. */
  async #ensureJournal(): Promise<void> {
    const { header } = this.#journal;
    if (header?.at === this.#at) return;
    const ours = { ...this.#newHeader(), queue: this.#freshId, yaml: header?.yaml ?? this.#yaml.hash };
    if (header === null) await this.#journal.begin(ours, flightRecords(this.#jobs));
    else await this.#journal.rename(ours);
    this.#begun = "";
  }

  async #writeYaml(lock: FileLock): Promise<boolean> {
    // Making and writing the text of a large queue takes a while, in which a person may have saved.
    for (let i = 0; i < TRIES; i++) {
      const pieces = await this.#yaml.render(this.#jobs);
      if (await this.#yaml.isStill()) {
        const hash = await this.#deps.files.hash(pieces);
        await this.#ensureJournal();
        await this.#journal.append([{ type: "fold", yaml: hash }], { durable: true });
        if (await this.#yaml.write(pieces, hash)) {
          this.#provisional.clear();
          this.#broken = this.#gone = false;
          await this.#beginJournal();
          return true;
        }
      }
      await this.#refresh(lock);
      await this.#writeRepairs();
      if (this.#broken && !this.#gone) return false;
    }
    return false;
  }

  #newHeader(): JournalHeader {
    const { hash, written } = this.#yaml;
    this.#begun = this.#deps.ids.hex(6);
    const header = { queue: this.id, at: this.#at, yaml: hash, begun: this.#begun };
    return written === null ? header : { ...header, written };
  }

  async #begin(records: readonly JournalRecord[]): Promise<void> {
    await this.#journal.begin(this.#newHeader(), records);
    this.#begun = "";
  }

  /** A new journal for the YAML as it is. */
  async #beginJournal(): Promise<void> {
    await this.#begin(flightRecords(this.#jobs));
    this.#edited = null;
    this.#differs = false;
    this.#external.forgetWarnings();
  }
}
