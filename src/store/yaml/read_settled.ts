/**
 * Reads a queue's YAML so that half of a file is not taken for all of it. Editors and scripts that write into the file
 * itself, in place of replacing it, leave a moment in which its first half is there: often that is YAML, of a queue
 * that has lost jobs.
 *
 * What we wrote ourselves is known by its hash and is whole, as we replace files. Anything else counts when it has been
 * left alone for a moment, and only if it does not end in the middle of a line.
 *
 * @module
 */

import { CmsError, StoreError } from "../../errors.ts";
import type { Deps, FileLock, FileStamp } from "../../deps.ts";
import type { JournalHeader, JournalRecord } from "../journal/journal.ts";
import { readYaml } from "./yaml_file.ts";
import { sameStamp } from "../lock.ts";
import type { StorePaths } from "../paths.ts";

/** So long nobody must have written into an edited file. */
const STILL_MS = 200;
/** After so many looks it counts as it is: somebody writes into it all the time. */
const LOOKS = 20;

/** A YAML as it was read. */
export interface YamlRead {
  /** Its text, or why there is none that can be read. */
  readonly yaml: { readonly text: string; readonly hash: string } | CmsError;
  /** From before the reading: what is written meanwhile makes the next look differ. */
  readonly stamp: FileStamp | null;
}

/** True if the journal names this hash as that of a YAML that the program wrote. */
export function isNamed(hash: string, header: JournalHeader, records: readonly JournalRecord[]): boolean {
  return hash === header.yaml || records.some((one) => one.type === "fold" && one.yaml === hash);
}

/**
 * What stands in the file when nobody writes into it any more.
 * @param read As it was read last; it is given back if it is known or has been left alone. @param journal Its header is
 * null if there is none: then nothing says that there was ever another text. @param lock The queue's, if it is held.
 */
export async function readSettled(
  deps: Deps,
  paths: StorePaths,
  read: YamlRead,
  journal: { header: JournalHeader | null; records: readonly JournalRecord[] },
  lock: FileLock | null,
): Promise<YamlRead> {
  const { header, records } = journal;
  const isOurs = ({ yaml }: YamlRead): boolean => {
    if (header === null) return true;
    if (yaml instanceof CmsError) return false;
    return isNamed(yaml.hash, header, records);
  };
  for (let i = 0; i < LOOKS && !isOurs(read) && read.stamp !== null; i++) {
    const ageMs = await fileTimeMs(deps, paths, lock) - read.stamp.modifiedMs;
    if (ageMs >= STILL_MS) break;
    await deps.clock.sleepUntil(deps.clock.now() + STILL_MS - Math.max(ageMs, 0));
    const stamp = await deps.files.stamp(paths.file);
    if (sameStamp(stamp, read.stamp)) break;
    read = { yaml: await readYaml(deps, paths), stamp };
  }
  if (read.yaml instanceof CmsError || isOurs(read)) return read;
  // Braces show by themselves whether they are whole, and of an empty file its reader says what it is.
  if (/(\n|\}\s*|^\s*)$/.test(read.yaml.text)) return read;
  const reason = "does not end with a line break, as if it were half written; add one if it is whole";
  return { ...read, yaml: new StoreError(paths.shown, 0, reason) };
}

/**
 * What the clock of the file system says. Who holds the lock is about to decide by what is read: the lock file is
 * touched. Who only looks, and must not write, takes the clock of this machine for it; the worst is half of a text for
 * a moment.
 */
async function fileTimeMs({ files, clock }: Deps, paths: StorePaths, lock: FileLock | null): Promise<number> {
  if (lock === null) return clock.epochMs();
  await lock.describe("");
  return (await files.stamp(paths.lock))?.modifiedMs ?? clock.epochMs();
}
