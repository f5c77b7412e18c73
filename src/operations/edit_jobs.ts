/**
 * Jobs as text for an editor, and what was made of that text taken back into the queue: as an edit of the file is, only
 * that what others did meanwhile to other fields and jobs stays.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { type Job, type JobFields, placeOf } from "../job/job.ts";
import { isInFlight } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import { someNames } from "../names/some_names.ts";
import type { Change, Jobs } from "../store/changes.ts";
import { openQueue } from "../store/queue_file.ts";
import { readJobs } from "../store/read_jobs.ts";
import { FLIGHT_FIELDS } from "../store/state/merge.ts";
import type { StoreRef } from "../store/store.ts";
import { equalValues, parseJobs, renderJob } from "../store/yaml/job_record.ts";
import { type Selection, selectJobs } from "./select_jobs.ts";
import { writeFile } from "./write_file.ts";

/** The chosen jobs as text; `base` is what that says. */
export interface EditText {
  readonly text: string;
  readonly base: Jobs;
  /** Names that are not in the queue. */
  readonly missing: readonly string[];
}

/** What an edit changed, in the order of its text. */
export interface EditResult {
  readonly changed: readonly JobName[];
  readonly added: readonly JobName[];
  readonly deleted: readonly JobName[];
  readonly isReordered: boolean;
  /** What of the edit was not taken, one line each. */
  readonly refused: readonly string[];
}

/** The text of jobs for an editor. @throws {CmsError} `not_found` if there is no such queue. */
export async function editText(
  deps: Deps,
  { queue, selection }: { queue: StoreRef; selection: Selection },
): Promise<EditText> {
  const { chosen, missing } = selectJobs(await readJobs(deps, queue), selection);
  const head = `# Jobs of queue ${queue.name}. Save the file and leave the editor: then what you changed counts.\n` +
    "# An entry that you take out is deleted, a new one is added. An empty file changes nothing.\n";
  return { text: head + chosen.map(renderJob).join(""), base: new Map(chosen.map((job) => [job.name, job])), missing };
}

/**
 * Takes an edited text in. `shown` is what messages call it.
 * @throws {StoreError} With the line, if it cannot be read; nothing is changed then. @throws {CmsError} `not_found` if
 * there is no such queue.
 */
export async function takeEdit(
  deps: Deps,
  { queue, base, text, shown }: { queue: StoreRef; base: Jobs; text: string; shown: string },
  watch: { warn(text: string): void },
): Promise<EditResult> {
  const isEmpty = text.replaceAll(/^\s*#.*$/gm, "").trim() === "";
  const edited = isEmpty ? new Map(base) : parseJobs(text, { shown, experiment: queue.experiment });
  const store = await openQueue(deps, queue);
  try {
    const merge = new EditMerge(base, edited, () => deps.ids.hex(16));
    await store.commit(() => merge.changes(store.jobs));
    await writeFile(() => store.checkpoint("cheap"), watch);
    return merge;
  } finally {
    store.close();
  }
}

/** One edit against the queue as it is. */
class EditMerge implements EditResult {
  readonly changed: JobName[] = [];
  readonly added: JobName[] = [];
  readonly deleted: JobName[] = [];
  readonly refused: string[] = [];
  isReordered = false;
  readonly #base: Jobs;
  readonly #edited: Jobs;
  readonly #newId: () => string;

  constructor(base: Jobs, edited: Jobs, newId: () => string) {
    this.#base = base;
    this.#edited = edited;
    this.#newId = newId;
  }

  changes(jobs: Jobs): Change[] {
    const changes: Change[] = [];
    const ids = new Set([...jobs.values()].map(({ id }) => id));
    for (const [name, job] of this.#edited) {
      const before = this.#base.get(name);
      const present = jobs.get(name);
      if (before !== undefined) changes.push(...this.#change(before, job, present));
      else if (present !== undefined) this.refused.push(`Job ${name} was not added: the queue has one of that name`);
      else {
        const id = job.id === "" || ids.has(job.id) ? this.#newId() : job.id;
        changes.push({ type: "put", job: { ...job, id } });
        this.added.push(name);
      }
    }
    for (const [name, before] of this.#base) {
      if (!this.#edited.has(name)) changes.push(...this.#delete(before, jobs.get(name)));
    }
    return [...changes, ...this.#move(jobs)];
  }

  #change(before: Job, edited: Job, present: Job | undefined): Change[] {
    const { name } = before;
    const fields = Object.keys({ ...before, ...edited }) as (keyof Job)[];
    const own = fields.filter((field) => field !== "id" && !equalValues(before[field], edited[field]));
    if (own.length === 0) return [];
    if (present === undefined || present.id !== before.id) {
      this.refused.push(`Edit of job ${name} was not taken: it was deleted or replaced meanwhile`);
      return [];
    }
    const isKept = (field: keyof Job): boolean =>
      isInFlight(present.status) && ([...FLIGHT_FIELDS, "extra"] as string[]).includes(field);
    const kept = own.filter(isKept);
    const taken = own.filter((field) => !isKept(field));
    if (kept.length > 0) {
      this.refused.push(`Edit of ${kept.join(", ")} of job ${name} was not taken: it runs on ${placeOf(present)}`);
    }
    if (taken.length === 0) return [];
    this.changed.push(name);
    const set = Object.fromEntries(taken.map((field) => [field, edited[field] ?? null])) as JobFields;
    return [{ type: "put", job: { ...present, ...set } }];
  }

  #delete(before: Job, present: Job | undefined): Change[] {
    if (present === undefined || present.id !== before.id) return [];
    if (isInFlight(present.status)) {
      this.refused.push(`Job ${before.name} was not deleted by the edit: it runs on ${placeOf(present)}`);
      return [];
    }
    this.deleted.push(before.name);
    return [{ type: "delete", job: before.name }];
  }

  /** The edited jobs take the places that they have together, in the order of the text; a new one follows the last. */
  #move(jobs: Jobs): Change[] {
    const gone = new Set(this.deleted);
    const natural = [...[...jobs.keys()].filter((name) => !gone.has(name)), ...this.added];
    const added = new Set(this.added);
    const own = [...this.#edited.keys()].filter((name) => added.has(name) || (this.#base.has(name) && jobs.has(name)));
    const isOwn = new Set(own.filter((name) => this.#base.has(name)));
    const order: JobName[] = [];
    let at = 0;
    const putAdded = (): void => {
      while (at < own.length && !isOwn.has(own[at]!)) order.push(own[at++]!);
    };
    for (const name of natural) {
      if (isOwn.has(name)) {
        putAdded();
        order.push(own[at++]!);
        putAdded();
      } else if (jobs.has(name)) order.push(name);
    }
    putAdded();
    this.isReordered = order.some((name, i) => name !== natural[i]);
    return this.isReordered ? [{ type: "move", jobs: order, before: null }] : [];
  }
}

/** What an edit did, in one line; null if it changed nothing. */
export function editLine({ changed, added, deleted, isReordered }: EditResult): string | null {
  const parts = ([["changed", changed], ["added", added], ["deleted", deleted]] as const)
    .filter(([, names]) => names.length > 0).map(([what, names]) => `${what} ${someNames(names)}`);
  if (isReordered) parts.push("order changed");
  return parts.length === 0 ? null : parts.join("; ");
}
