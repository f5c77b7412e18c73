/**
 * A large queue whose YAML is as the program wrote it: the journal's first line names its stamp and its hash. Then its
 * text need not be read to know which one it is, and where it is read, it is in pieces: who follows queues of 100,000
 * jobs has others to answer.
 *
 * @module
 */

import { CmsError } from "../../errors.ts";
import type { Deps, FileStamp } from "../../deps.ts";
import type { Job } from "../../job/job.ts";
import type { JobName } from "../../names/grammar.ts";
import type { JournalHeader, JournalRecord } from "../journal/journal.ts";
import type { JournalFile } from "../journal/journal_file.ts";
import type { StorePaths } from "../paths.ts";
import { type Merged, mergeState } from "../state/merge.ts";
import { parseJobs } from "../yaml/job_record.ts";
import { isAsWritten, SMALL_YAML_BYTES } from "./checkpoint_due.ts";
import { sameStamp } from "../lock.ts";
import { entryTexts } from "./find_entry.ts";
import type { Rests } from "../rests.ts";
import type { TextTaker } from "./kept_text.ts";

/** A checkpoint between two looks makes both files anew. */
const TRIES = 3;

/** Both files at one moment, as a `Snapshot` has them. */
export class WrittenQueue {
  readonly stamp: FileStamp;
  readonly header: JournalHeader;
  readonly records: readonly JournalRecord[];
  readonly #jobs: Map<JobName, Job>;

  constructor(stamp: FileStamp, header: JournalHeader, records: readonly JournalRecord[], jobs: Map<JobName, Job>) {
    this.stamp = stamp;
    this.header = header;
    this.records = records;
    this.#jobs = jobs;
  }

  /** What names the text of the YAML. */
  get yaml(): { readonly hash: string } {
    return { hash: this.header.yaml };
  }

  /** The jobs of the YAML alone; none where its hash was known. */
  parse(): Map<JobName, Job> {
    return this.#jobs;
  }

  /** As `Snapshot` does. */
  merge(jobs: Map<JobName, Job>, hash: string): Merged {
    const { header, records } = this;
    return mergeState({ jobs, hash }, { header, records });
  }
}

/** How {@link readWritten} reads. */
export interface ReadOptions {
  /** Hash of the text that the caller knows already. */
  readonly known?: string | null;
  /** Are taken, so that others have their turn. */
  readonly rests?: Rests;
  /** Is given what is read of the YAML. */
  readonly taker?: () => TextTaker;
}

/**
 * Reads both files. Afterwards `journal` is open at its end.
 * @returns null if the queue is small, or can only be read as a whole. @throws {CmsError} If the journal is damaged.
 */
export async function readWritten(
  { files }: Deps,
  paths: StorePaths,
  journal: JournalFile,
  { known = null, rests, taker }: ReadOptions,
): Promise<WrittenQueue | null> {
  let begun: string | undefined;
  const size = (await files.stamp(paths.file))?.sizeBytes ?? 0;
  for (let i = 0; i < TRIES && size >= SMALL_YAML_BYTES; i++) {
    const records = await journal.readAll(undefined, rests);
    const { header } = journal;
    const stamp = await files.stamp(paths.file);
    if (header?.written === undefined || stamp === null) return null;
    if (!isAsWritten(header, stamp)) {
      // A checkpoint would have begun another journal: somebody edited it.
      if (begun === header.begun) return null;
      begun = header.begun;
      continue;
    }
    if (header.yaml === known) return new WrittenQueue(stamp, header, records, new Map());
    const jobs = await readPieces({ files, paths, experiment: journal.experiment, rests, taker: taker?.(), stamp });
    if (jobs === "other") continue;
    return jobs === null ? null : new WrittenQueue(stamp, header, records, jobs);
  }
  return null;
}

/** The jobs; null if their reader says something of them; `other` if the file has become another one. */
async function readPieces(
  { files, paths, experiment, rests, taker, stamp }: {
    files: Deps["files"];
    paths: StorePaths;
    experiment: string;
    rests: Rests | undefined;
    taker: TextTaker | undefined;
    stamp: FileStamp;
  },
): Promise<Map<JobName, Job> | null | "other"> {
  const jobs = new Map<JobName, Job>();
  let isOpen = false;
  let count = 0;
  try {
    for await (const text of entryTexts(files, paths.file)) {
      // The file is open: what takes its place from now on changes nothing of what is read here.
      if (!isOpen && !sameStamp(await files.stamp(paths.file), stamp)) return "other";
      isOpen = true;
      const read = parseJobs(text, { shown: paths.shown, experiment }, taker?.part(text));
      taker?.read(read.values());
      for (const [name, job] of read) jobs.set(name, job);
      count += read.size;
      await rests?.take();
    }
  } catch (error) {
    if (error instanceof CmsError || error instanceof TypeError) return null;
    throw error;
  }
  const after = await files.stamp(paths.file);
  // Somebody wrote into it.
  if (after?.inode === stamp.inode && !sameStamp(after, stamp)) return "other";
  return count === jobs.size && count > 0 ? jobs : null;
}
