/**
 * A person's editor holds the queue file as it was when it was opened. Saved during a run it would bring back states
 * and attempts as they were then, undelete jobs and lose those that were added since. Whoever runs the queue knows
 * better: it finds what in a saved file is older than what it knows, and makes up for that with records of the journal,
 * so that all who read come to the same.
 *
 * Older is an entry whose attempt is an earlier one, or which has another process or other times: nobody makes these
 * up. A state alone is a person's wish, as `status: ready` is for a job that is to run again.
 *
 * @module
 */

import type { JobName } from "../../names/grammar.ts";
import { someNames } from "../../names/some_names.ts";
import type { Job, JobFields } from "../../job/job.ts";
import type { Change, Jobs } from "../changes.ts";
import { equalValues } from "../yaml/job_record.ts";
import type { JournalRecord } from "../journal/journal.ts";
import { FLIGHT_FIELDS, isStale } from "./merge.ts";

/** Jobs that came and went by commands since this process has had the queue, by their ids. */
export class RecentChanges {
  readonly added = new Set<string>();
  readonly gone = new Set<string>();
  /** Ids that jobs had before they got one of their own: the original program gave all jobs of a call the same. */
  readonly #earlier = new Map<JobName, string>();

  /** Takes in a record, its own or another's. */
  note(record: JournalRecord): void {
    if (record.type === "put") {
      this.added.add(record.job.id);
      if (record.was !== null && record.was !== record.job.id) this.gone.add(record.was);
    } else if (record.type === "delete") this.gone.add(record.id);
    else if (record.type === "set" && record.fields.id !== undefined) this.#earlier.set(record.job, record.id);
  }

  /** True if the job of this name had that id before its own. */
  hadId(name: JobName, id: string): boolean {
    return this.#earlier.get(name) === id;
  }
}

/** What {@link undoStaleEdit} looks at. */
export interface SavedText {
  /** What the file says. */
  readonly file: Jobs;
  /** The same with the journal merged into it. */
  readonly merged: Jobs;
  /** The queue as this process knows it. */
  readonly ours: Jobs;
  readonly past: RecentChanges;
  /** Jobs that have an id of their own only in memory. */
  readonly provisional: { has(name: JobName): boolean };
}

/** Changes of `merged` that undo what is older in the file; and a line for people, if anything was. */
export function undoStaleEdit(saved: SavedText): { changes: Change[]; warnings: string[] } {
  const { file, merged, ours, past } = saved;
  const changes: Change[] = [];
  const older: JobName[] = [];
  const ids = new Set<string>();
  for (const [name, entry] of file) {
    // A file of before jobs had ids; or of the original program, which gave all jobs of a call the same.
    const hasId = entry.id !== "" && !ids.has(entry.id);
    ids.add(entry.id);
    if (!hasId && saved.provisional.has(name)) continue;
    const undone = undoEntry(saved, name, entry, hasId);
    if (undone.isOlder) older.push(name);
    if (undone.change !== null) changes.push(undone.change);
  }
  if (older.length === 0) return { changes, warnings: [] };
  // Nobody can have taken out of an older text what was added later.
  const missed = [...ours.values()].filter(({ name, id }) =>
    past.added.has(id) && !file.has(name) && !merged.has(name)
  );
  for (const job of missed) changes.push({ type: "put", job });
  const warnings = [
    `The queue file was saved from an older text: what was done since to ${someNames(older)} stays`,
    ...(missed.length === 0 ? [] : [`Added since, and therefore kept: ${someNames(missed.map(({ name }) => name))}`]),
  ];
  return { changes, warnings };
}

/** One entry of the file: whether it is older than what is known, and what makes up for it. */
function undoEntry(
  { merged, ours, past }: SavedText,
  name: JobName,
  entry: Job,
  hasId: boolean,
): { isOlder: boolean; change: Change | null } {
  const known = ours.get(name);
  const now = merged.get(name);
  const hadId = past.hadId(name, entry.id);
  if (hadId ? known === undefined : hasId && entry.id !== known?.id) {
    if (!hadId && !past.gone.has(entry.id)) return { isOlder: false, change: null };
    if (known === undefined) return { isOlder: true, change: { type: "delete", job: name } };
    return { isOlder: true, change: now?.id === known.id ? null : { type: "put", job: known } };
  }
  if (known === undefined) return { isOlder: false, change: null };
  const isOlder = isStale(entry, known);
  const fields = now === undefined ? {} : fieldsOf(now, known, isOlder ? FLIGHT_FIELDS : ["id"]);
  return { isOlder, change: Object.keys(fields).length > 0 ? { type: "set", job: name, fields } : null };
}

function fieldsOf(now: Job, known: Job, fields: readonly (keyof JobFields)[]): JobFields {
  return Object.fromEntries(
    fields.filter((field) => !equalValues(now[field], known[field])).map((field) => [field, known[field] ?? null]),
  );
}
