/**
 * Follows a queue change by change, for onlookers: where `QueueStore.sync` tells what is different now, this tells
 * every move in between, in order, each with its place in the journal. Writes nothing.
 *
 * A checkpoint ends a journal with a record of the YAML that it makes, and the next journal begins with the same hash.
 * The old file stays open here, so that its last records are read before those of the new one. Where the chain has a
 * gap (a person's edit, two checkpoints between two looks) the difference is given instead.
 *
 * @module
 */

import { CmsError } from "../errors.ts";
import type { Deps, FileStamp } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import type { JobState } from "../job/states.ts";
import type { Jobs } from "./changes.ts";
import { type JournalRecord, subjectOf } from "./journal/journal.ts";
import { JournalFile } from "./journal/journal_file.ts";
import { applyRecord } from "./state/merge.ts";
import { sameStamp } from "./lock.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { readSnapshot, type Snapshot } from "./snapshot.ts";
import { Rests } from "./rests.ts";
import type { StoreRef } from "./store.ts";
import { readWritten, type WrittenQueue } from "./large/written_queue.ts";

/** So often a look waits for the journal that follows a checkpoint, before it reads the file instead. */
const FOLD_LOOKS = 20;
const FOLD_PAUSE_MS = 5;

/**
 * One thing that happened to a queue, and its place: `begun` names the journal (`""` if none does), lines count from 1.
 */
export interface FeedChange {
  readonly begun: string;
  readonly line: number;
  readonly job: Job;
  /** `moved`: its state is another one now. `added` also stands for a job that took the place of another. */
  readonly type: "added" | "deleted" | "moved";
  /** State before; that of `job` where it was added or deleted. */
  readonly from: JobState;
  /** When it was written, epoch ms; null where the journal does not say. */
  readonly atMs: number | null;
}

/** One queue, followed. */
export class QueueFeed {
  readonly #deps: Deps;
  readonly #paths: StorePaths;
  readonly #experiment: string;
  readonly #journal: JournalFile;
  #jobs = new Map<JobName, Job>();
  #yamlStamp: FileStamp | null = null;
  #yamlHash = "";
  #line = 0;
  #isFirst = true;
  #isWhole = false;
  /** Why the last look could not tell what it read; the next one gives the difference. */
  #trouble: CmsError | null = null;
  /** The journal was closed: what stands at its place by the next look may be another. */
  #isResting = false;

  /** The last record of the journal says that a YAML is about to be written: nothing comes after it there. */
  #isFolded = false;
  #isPlain = false;
  #edition = 0;

  /** Touches no file. */
  constructor(deps: Deps, ref: StoreRef) {
    this.#deps = deps;
    this.#paths = storePaths(ref, "queue");
    this.#experiment = ref.experiment;
    this.#journal = new JournalFile(deps.files, this.#paths, ref.experiment);
  }

  /** The jobs as of the last look, in file order. */
  get jobs(): Jobs {
    return this.#jobs;
  }

  /** Names the journal that was read last; `""` if there is none. */
  get begun(): string {
    const header = this.#journal.header;
    return header?.begun ?? header?.yaml.slice(0, 12) ?? "";
  }

  /** True if the first look gave all that the journal held. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * True if the jobs are what the program wrote, with all records since: then they are what opening the queue gives. An
   * edit that no checkpoint has taken in is judged there, not here.
   */
  get isPlain(): boolean {
    return this.#isPlain;
  }

  /** Another number whenever the jobs may be others. */
  get edition(): number {
    return this.#edition;
  }

  /** Why the YAML could not be read at the last look: the jobs are as they were before. null if it could. */
  get trouble(): CmsError | null {
    return this.#trouble;
  }

  /** Records of the journal, with its first line. */
  get line(): number {
    return this.#line;
  }

  /**
   * What happened since the last look, in order; the first look gives what the present journal holds. null if there is
   * no such queue. A file that cannot be read just now gives nothing.
   * @throws {StoreError} If the journal is damaged.
   */
  async look(): Promise<FeedChange[] | null> {
    const [journal, yaml] = await this.#stamps();
    if (yaml === null) return null;
    if (!this.#isFirst && sameStamp(journal, this.#journal.stamp) && sameStamp(yaml, this.#yamlStamp)) return [];
    return await this.#read();
  }

  /** True while the journal takes a file of the process. */
  get isOpen(): boolean {
    return this.#journal.isOpen;
  }

  /** Closes the journal until something has changed. The next change is given as a difference, as after a gap. */
  rest(): void {
    this.#isResting = this.isOpen || this.#isResting;
    this.close();
  }

  /** Closes the journal. */
  close(): void {
    this.#journal.close();
  }

  /** The stamps when no checkpoint is between its two files: then the next journal says which YAML it is. */
  async #settled(): Promise<[journal: FileStamp | null, yaml: FileStamp | null]> {
    const { clock } = this.#deps;
    let stamps = await this.#stamps();
    for (let i = 0; i < FOLD_LOOKS && this.#isFolded && this.#journal.isSame(stamps[0]); i++) {
      await clock.sleepUntil(clock.now() + FOLD_PAUSE_MS);
      stamps = await this.#stamps();
    }
    return stamps;
  }

  #stamps(): Promise<[journal: FileStamp | null, yaml: FileStamp | null]> {
    const { files } = this.#deps;
    return Promise.all([files.stamp(this.#paths.journal), files.stamp(this.#paths.file)]);
  }

  async #read(): Promise<FeedChange[]> {
    const changes: FeedChange[] = [];
    const [journal, yaml] = await this.#settled();
    const isSame = this.#journal.isSame(journal);
    const isAfter = !this.#isFirst && this.#trouble === null && !this.#isResting;
    if (!this.#isFirst && !this.#isResting) {
      // Of a journal that is no longer the queue's, its last records.
      const more = await this.#journal.readMore(isSame ? journal : this.#journal.stamp);
      this.#take(more, changes);
      const end = more.at(-1);
      if (end !== undefined) this.#isFolded = end.type === "fold";
      if (end?.type === "fold") this.#yamlHash = end.yaml;
      if (isSame && sameStamp(yaml, this.#yamlStamp)) return changes;
    }
    const mark = this.#journal.mark;
    const known = isAfter ? this.#yamlHash : null;
    const rests = new Rests(this.#deps.clock);
    const snapshot = await readWritten(this.#deps, this.#paths, this.#journal, { known, rests }) ??
      await readSnapshot(this.#deps, this.#paths, this.#journal, null);
    const isNew = !isAfter || !this.#journal.continues(mark);
    try {
      this.#takeBoth(snapshot, { isNew, seen: mark.records }, changes);
    } catch (error) {
      if (!(error instanceof CmsError)) throw error;
      // In the middle of a person's edit. Its records were read, and not given.
      this.#trouble = error;
      this.#isPlain = false;
      return changes;
    }
    this.#trouble = null;
    this.#isResting = false;
    this.#isFolded = snapshot.records.at(-1)?.type === "fold";
    this.#yamlStamp = snapshot.stamp;
    this.#yamlHash = snapshot.yaml.hash;
    this.#isFirst = false;
    return changes;
  }

  /** Takes what both files say. `seen`: records of the same journal that were reported before. @throws {CmsError} */
  #takeBoth(
    snapshot: Snapshot | WrittenQueue,
    { isNew, seen }: { isNew: boolean; seen: number },
    changes: FeedChange[],
  ): void {
    const { yaml: { hash }, header, records } = snapshot;
    const follows = header === null || header.yaml === hash;
    const isKnown = !this.#isFirst && this.#trouble === null && !this.#isResting && hash === this.#yamlHash;
    const firstLine = header === null ? 0 : 1;
    const wasPlain = this.#isPlain;
    this.#isPlain = false;
    if (isKnown && (follows || !isNew)) {
      this.#isPlain = wasPlain && header !== null;
      // What was written while the YAML was stood in the journal before, too.
      const told = isNew ? header?.carried ?? 0 : seen;
      if (isNew) this.#line = firstLine + told;
      this.#take(records.slice(told), changes);
      return;
    }
    const base = snapshot.parse();
    if (follows && isNew && !this.#isResting) {
      this.#line = firstLine;
      this.#replace(base, changes);
      this.#take(records, changes);
      this.#isPlain = header !== null || hasOwnIds(base);
    } else {
      this.#line = firstLine + records.length;
      this.#replace(snapshot.merge(base, hash).jobs, changes);
    }
    this.#isWhole ||= this.#isFirst && follows;
  }

  /** Applies records, and gives what they change. */
  #take(records: readonly JournalRecord[], changes: FeedChange[]): void {
    for (const record of records) {
      this.#line++;
      this.#edition++;
      const name = subjectOf(record);
      if (record.type === "move") applyRecord(this.#jobs, record);
      if (name === null) continue;
      const before = this.#jobs.get(name);
      applyRecord(this.#jobs, record);
      const atMs = record.type === "set" ? record.at ?? null : null;
      changes.push(...this.#between(before, this.#jobs.get(name), atMs));
    }
  }

  /** Puts other jobs in place of all, and gives the difference (at first there is none to tell). */
  #replace(jobs: Map<JobName, Job>, changes: FeedChange[]): void {
    const old = this.#jobs;
    this.#jobs = jobs;
    this.#edition++;
    if (this.#isFirst) return;
    for (const [name, before] of old) if (!jobs.has(name)) changes.push(...this.#between(before, undefined, null));
    for (const [name, job] of jobs) changes.push(...this.#between(old.get(name), job, null));
  }

  #between(before: Job | undefined, after: Job | undefined, atMs: number | null): FeedChange[] {
    const at = { begun: this.begun, line: this.#line, atMs };
    const isOther = before !== undefined && after !== undefined && before.id !== "" && after.id !== "" &&
      before.id !== after.id;
    if (before !== undefined && after !== undefined && !isOther) {
      if (before.status === after.status) return [];
      return [{ ...at, type: "moved", job: after, from: before.status }];
    }
    const told: FeedChange[] = [];
    if (before !== undefined) told.push({ ...at, type: "deleted", job: before, from: before.status });
    if (after !== undefined) told.push({ ...at, type: "added", job: after, from: after.status });
    return told;
  }
}

/** True if each job has an id, and no other job has the same: who opens the queue has to give none. */
function hasOwnIds(jobs: Jobs): boolean {
  const ids = new Set([...jobs.values()].map(({ id }) => id));
  return ids.size === jobs.size && !ids.has("");
}
