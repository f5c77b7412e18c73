/**
 * What `check` finds, as data: one thing that disagrees, or is good to know, and what to do about it.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { quote } from "../names/quote.ts";
import type { StoreRef } from "../store/store.ts";
import { DEFAULT_EXPERIMENT } from "./refs.ts";

/** One thing that was found. */
export interface Finding {
  /**
   * `trouble`: the queue, its files and its hosts do not agree, or could not be asked. `note`: good to know, no harm.
   */
  readonly kind: "trouble" | "note";
  /** The job that it is about; null if it is about more than one. */
  readonly job: JobName | null;
  /** A file, a machine as `user@name`, or the queue. */
  readonly where: string;
  /** What is so; one line. */
  readonly finding: string;
  /** What to do, a command where there is one; `""` for nothing. */
  readonly action: string;
}

/** A command of `cms queue` on this queue, as a person types it. */
export function queueCommand(ref: StoreRef, verb: string, ...options: readonly string[]): string {
  const experiment = ref.experiment === DEFAULT_EXPERIMENT ? [] : [`--experiment=${quoted(ref.experiment)}`];
  return ["cms queue", verb, ref.name, ...options, ...experiment].join(" ");
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : quote(word);
}
