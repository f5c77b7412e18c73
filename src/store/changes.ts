/**
 * What can happen to a queue's file, as records of its journal, and what a reader is told of changes that others made.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { Job, JobFields } from "../job/job.ts";

/** One change, one line of the journal. */
export type Change =
  /** A new job at the end; or the whole of an existing one replaced, which keeps its place. */
  | { readonly type: "put"; readonly job: Job }
  /** Fields of a job set. The store writes what they were beside them, for the merge with a person's edits. */
  | { readonly type: "set"; readonly job: JobName; readonly fields: JobFields }
  | { readonly type: "delete"; readonly job: JobName }
  /** Jobs put right before another, in this order; null: at the end. See `state/move_jobs.ts`. */
  | { readonly type: "move"; readonly jobs: readonly JobName[]; readonly before: JobName | null }
  /** A request to the scheduler that runs the queue: end these jobs. Has no effect on the file. */
  | { readonly type: "kill"; readonly jobs: readonly JobName[] };

/** What others (commands, a person with an editor) did since this process last looked. */
export interface ExternalChanges {
  /** Jobs that are new, or were replaced as a whole (their `id` differs), in file order. */
  readonly put: readonly JobName[];
  /** Jobs with at least one field changed, not in `put`. */
  readonly changed: readonly JobName[];
  readonly deleted: readonly JobName[];
  /**
   * True if the file's order is any other than: the jobs that were there before, in their order, and then the new ones
   * (a person moved jobs or put new ones between them).
   */
  readonly reordered: boolean;
  /** Jobs that another command asked the scheduler to end. */
  readonly kill: readonly JobName[];
  /** One line each: a person's edit that was not taken, a file that cannot be read now. Told once. */
  readonly warnings: readonly string[];
}

/** Nothing happened. */
export const NO_EXTERNAL_CHANGES: ExternalChanges = {
  put: [],
  changed: [],
  deleted: [],
  reordered: false,
  kill: [],
  warnings: [],
};

/** The jobs of a queue in file order. */
export type Jobs = ReadonlyMap<JobName, Job>;
