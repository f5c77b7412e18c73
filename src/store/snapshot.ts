/**
 * Reads a queue's YAML and journal so that they belong together, without a lock: whoever reads must never hold up who
 * writes.
 *
 * The journal is opened first, then the YAML is read, then the journal to its end. A checkpoint in between leaves its
 * record in the journal that is open here, so that whichever of the two texts was read is named in it. Only two
 * checkpoints in between, or a person's edit, leave a text that it does not name. An edit is known by files that stay
 * as they are; else both are read again.
 *
 * @module
 */

import { CmsError } from "../errors.ts";
import type { Deps, FileLock } from "../deps.ts";
import type { JournalRecord } from "./journal/journal.ts";
import type { JournalFile } from "./journal/journal_file.ts";
import { readYaml } from "./yaml/yaml_file.ts";
import { sameStamp } from "./lock.ts";
import type { StorePaths } from "./paths.ts";
import { isNamed, readSettled, type YamlRead } from "./yaml/read_settled.ts";

/** So often both are read anew; what was read last counts then. */
const TRIES = 20;
const PAUSE_MS = 5;

/** Both files. The journal's header is in the {@link JournalFile}. */
export interface Pair {
  readonly read: YamlRead;
  readonly records: readonly JournalRecord[];
}

/** Reads both. `lock`: the queue's, if the caller holds it: then nobody but a person changes them. */
export async function readSnapshot(
  deps: Deps,
  paths: StorePaths,
  journal: JournalFile,
  lock: FileLock | null,
): Promise<Pair> {
  for (let i = 1;; i++) {
    let read: YamlRead | null = null;
    const records = await journal.readAll(async () => {
      const stamp = await deps.files.stamp(paths.file);
      read = { yaml: await readYaml(deps, paths), stamp };
    });
    const { header } = journal;
    const whole = await readSettled(deps, paths, read!, { header, records }, lock);
    const isOurs = header !== null && !(whole.yaml instanceof CmsError) && isNamed(whole.yaml.hash, header, records);
    if (isOurs || i === TRIES || await isStill(deps, paths, journal, whole)) return { read: whole, records };
    await deps.clock.sleepUntil(deps.clock.now() + PAUSE_MS);
  }
}

/** True if both files are still those that were read. */
async function isStill({ files }: Deps, paths: StorePaths, journal: JournalFile, read: YamlRead): Promise<boolean> {
  const [now, yaml] = [await files.stamp(paths.journal), await files.stamp(paths.file)];
  return journal.stamp?.inode === now?.inode && sameStamp(yaml, read.stamp);
}
