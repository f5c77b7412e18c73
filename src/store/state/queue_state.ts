/**
 * The jobs of an open queue in memory, and what others changed since somebody last asked. Knows no files.
 *
 * @module
 */

import type { Ids } from "../../deps.ts";
import type { JobName } from "../../names/grammar.ts";
import type { Job } from "../../job/job.ts";
import type { ExternalChanges } from "../changes.ts";
import { type JournalRecord, subjectOf } from "../journal/journal.ts";
import { recordsOf } from "../journal/journal_records.ts";
import { ChangeGatherer } from "./external_changes.ts";
import { applyRecord, hasEffect, type Merged } from "./merge.ts";
import { ownIds, reconcileJobs } from "./reconcile.ts";
import { RecentChanges, undoStaleEdit } from "./stale_edit.ts";

/** See the module. */
export class QueueState {
  /** In file order. */
  readonly jobs = new Map<JobName, Job>();
  /** Gathers what others change. */
  readonly external = new ChangeGatherer();
  /** The YAML does not say what `jobs` says. */
  differs = false;
  /**
   * Jobs whose id in the files is missing or another job's, with that id. They have one of their own in memory until it
   * is written.
   */
  readonly #provisional = new Map<JobName, string>();
  readonly #past = new RecentChanges();

  /** What others changed since the last call. */
  takeExternal(): ExternalChanges {
    return this.external.take(this.jobs);
  }

  /** Records that write down the ids which jobs have only in memory. */
  idRecords(): JournalRecord[] {
    return [...this.#provisional].flatMap(([name, was]): JournalRecord[] => {
      const id = this.jobs.get(name)?.id;
      return id === undefined
        ? []
        : [{ type: "set", job: name, id: was, fields: { id }, was: { id: was }, whole: null }];
    });
  }

  /** The journal now has these records of ours, and those of {@link QueueState.idRecords} before them. */
  committed(ids: readonly JournalRecord[], records: readonly JournalRecord[]): void {
    this.#provisional.clear();
    for (const record of ids) this.#past.note(record);
    for (const record of records) {
      this.#past.note(record);
      applyRecord(this.jobs, record);
    }
    this.differs ||= ids.length > 0 || records.some(hasEffect);
  }

  /** The YAML now has all ids. */
  idsWritten(): void {
    this.#provisional.clear();
  }

  /** Applies records that others wrote. */
  take(records: readonly JournalRecord[]): void {
    for (const record of records) {
      this.#past.note(record);
      if (record.type === "kill") this.external.kill(record.jobs);
      if (record.type === "move") {
        this.external.reordered();
        applyRecord(this.jobs, record);
        this.differs = true;
      }
      const name = subjectOf(record);
      if (name === null) continue;
      // Somebody wrote an id for a job that had none: it is still the same job.
      if (!(this.#provisional.delete(name) && record.type === "set" && record.fields.id !== undefined)) {
        const present = this.jobs.get(name);
        // One that was deleted before comes back at the end.
        if (this.external.touch(name, present) && present === undefined && record.type === "put") {
          this.external.reordered();
        }
      }
      applyRecord(this.jobs, record);
      this.differs ||= hasEffect(record);
    }
  }

  /** Notes records that others wrote, and that a merge contains already. */
  note(records: readonly JournalRecord[]): void {
    for (const record of records) this.#past.note(record);
  }

  /**
   * Changes in `merged` what a file that was saved from an older text would take back.
   * @param fresh Records that others wrote since the last look. @returns The records that do so.
   */
  undoStaleEdit({ jobs: merged, file }: Merged, fresh: readonly JournalRecord[]): JournalRecord[] {
    if (file === null) return [];
    const ours = new Map(this.jobs);
    for (const record of fresh) applyRecord(ours, record);
    const saved = { file, merged, ours, past: this.#past, provisional: this.#provisional };
    const { changes, warnings } = undoStaleEdit(saved);
    for (const line of warnings) this.external.warn(line);
    const records = recordsOf(changes, merged);
    for (const record of records) applyRecord(merged, record);
    return records;
  }

  /** Takes the jobs that were read in place of those in memory. At first all are new, and nobody hears of it. */
  replace(jobs: Map<JobName, Job>, ids: Ids, isFirst: boolean): void {
    ownIds(jobs, this.jobs, this.#provisional, ids);
    if (!isFirst) reconcileJobs(jobs, this.jobs, this.external);
    else for (const [name, job] of jobs) this.jobs.set(name, job);
  }
}
