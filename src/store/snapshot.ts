/**
 * Reads a queue's YAML and journal so that they belong together. The one place that does: who reads holds no lock, so
 * that nobody who writes ever waits for a reader.
 *
 * The journal is opened first, then the YAML is read, then the journal to its end. A checkpoint in between leaves its
 * record in the journal that is open here, so that whichever of the two texts was read is named in it. Only two
 * checkpoints in between, or a person's edit, leave a text that it does not name. An edit is known by files that stay
 * as they are; else both are read again.
 *
 * @module
 */

import { CmsError } from "../errors.ts";
import type { Deps, FileLock, FileStamp } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import type { TextTaker } from "./large/kept_text.ts";
import type { JournalHeader, JournalRecord } from "./journal/journal.ts";
import type { JournalFile } from "./journal/journal_file.ts";
import { sameStamp } from "./lock.ts";
import type { StorePaths } from "./paths.ts";
import { type Merged, mergeState } from "./state/merge.ts";
import { parseJobs } from "./yaml/job_record.ts";
import { isNamed, readSettled, type YamlRead } from "./yaml/read_settled.ts";
import { readYaml } from "./yaml/yaml_file.ts";

/** So often both are read anew; what was read last counts then. */
const TRIES = 20;
const PAUSE_MS = 5;

/** Both files at one moment. */
export class Snapshot {
  /** The YAML's stamp from before it was read. */
  readonly stamp: FileStamp | null;
  /** null if there is no journal. */
  readonly header: JournalHeader | null;
  readonly records: readonly JournalRecord[];
  readonly #yaml: YamlRead["yaml"];
  readonly #at: { shown: string; experiment: string };

  constructor(
    { yaml, stamp }: YamlRead,
    journal: { header: JournalHeader | null; records: readonly JournalRecord[] },
    at: { shown: string; experiment: string },
  ) {
    this.#yaml = yaml;
    this.stamp = stamp;
    this.header = journal.header;
    this.records = journal.records;
    this.#at = at;
  }

  /** The text of the YAML and its hash. @throws {CmsError} If it cannot be read. */
  get yaml(): { readonly text: string; readonly hash: string } {
    if (this.#yaml instanceof CmsError) throw this.#yaml;
    return this.#yaml;
  }

  /** The jobs of the YAML alone. @throws {CmsError} If it cannot be read. */
  parse(taker?: TextTaker): Map<JobName, Job> {
    const { text } = this.yaml;
    const jobs = parseJobs(text, this.#at, taker?.part(text));
    taker?.read(jobs.values());
    return jobs;
  }

  /** The queue: what the YAML says (or what stands for it, with its hash) and the journal. Takes `jobs` over. */
  merge(jobs: Map<JobName, Job>, hash: string): Merged {
    const { header, records } = this;
    return mergeState({ jobs, hash }, header === null ? null : { header, records });
  }
}

/**
 * Reads both. Afterwards `journal` is open at its end.
 * @param lock The queue's, if the caller holds it: then nobody but a person changes them.
 * @throws {CmsError} If the journal cannot be read.
 */
export async function readSnapshot(
  deps: Deps,
  paths: StorePaths,
  journal: JournalFile,
  lock: FileLock | null,
): Promise<Snapshot> {
  for (let i = 1;; i++) {
    let read: YamlRead | null = null;
    const records = await journal.readAll(async () => {
      const stamp = await deps.files.stamp(paths.file);
      read = { yaml: await readYaml(deps, paths), stamp };
    });
    const { header } = journal;
    const whole = await readSettled(deps, paths, read!, { header, records }, lock);
    const isOurs = header !== null && !(whole.yaml instanceof CmsError) && isNamed(whole.yaml.hash, header, records);
    if (isOurs || i === TRIES || await isStill(deps, paths, journal, whole)) {
      return new Snapshot(whole, { header, records }, { shown: paths.shown, experiment: journal.experiment });
    }
    await deps.clock.sleepUntil(deps.clock.now() + PAUSE_MS);
  }
}

/** True if both files are still those that were read. */
async function isStill({ files }: Deps, paths: StorePaths, journal: JournalFile, read: YamlRead): Promise<boolean> {
  const [now, yaml] = [await files.stamp(paths.journal), await files.stamp(paths.file)];
  return journal.stamp?.inode === now?.inode && sameStamp(yaml, read.stamp);
}
