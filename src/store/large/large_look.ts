/**
 * A look at a large queue without its lock: what was read counts if the YAML is still the one that the journal names.
 *
 * @module
 */

import { CmsError } from "../../errors.ts";
import type { Deps } from "../../deps.ts";
import { codeOf } from "../../system_errors.ts";
import { JournalFile } from "../journal/journal_file.ts";
import { type StorePaths, storePaths } from "../paths.ts";
import type { StoreRef } from "../store.ts";
import { isAsWritten, SMALL_YAML_BYTES } from "./checkpoint_due.ts";

/** A checkpoint came between: the look has to be taken once more. */
export const AGAIN = Symbol("again");

/** What a look has before it. */
export interface Large {
  readonly paths: StorePaths;
  readonly journal: JournalFile;
  /** True if the YAML is the one that the journal names, as it was read last. */
  isStill(): Promise<boolean>;
}

/** Takes a look, at most `tries` times; null if the queue is small, or all of it has to be read to know. */
export async function lookAtLarge<T>(
  deps: Deps,
  ref: StoreRef,
  tries: number,
  look: (large: Large) => Promise<T | null | typeof AGAIN>,
): Promise<T | null> {
  const paths = storePaths(ref, "queue");
  const journal = new JournalFile(deps.files, paths, ref.experiment);
  const isStill = async () => isAsWritten(journal.header, await deps.files.stamp(paths.file));
  try {
    const stamp = await deps.files.stamp(paths.file);
    if (stamp === null || stamp.sizeBytes < SMALL_YAML_BYTES) return null;
    for (let i = 0; i < tries; i++) {
      const seen = await look({ paths, journal, isStill });
      if (seen !== AGAIN) return seen;
    }
    return null;
  } catch (error) {
    // Whoever reads it all says what is wrong, also with text that is not UTF-8.
    if (error instanceof CmsError || error instanceof TypeError || codeOf(error) !== "") return null;
    throw error;
  } finally {
    journal.close();
  }
}
