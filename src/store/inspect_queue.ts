/**
 * A queue's files as they stand, looked at without changing anything, whatever state they are in: for `check`. Where
 * opening a queue gives up (a file that does not parse, a damaged journal), this says what is wrong and goes on with
 * what can be read.
 *
 * @module
 */

import { placeOf } from "./queue_file.ts";
import { CmsError } from "../errors.ts";
import type { Deps, FileLock } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import type { Jobs } from "./changes.ts";
import { notFound, storeError } from "./file_errors.ts";
import { JournalFile } from "./journal/journal_file.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { leftTemporaries, readLastRun, readRunner } from "./run_claim.ts";
import type { LastRun, Runner } from "./run_status.ts";
import { readSnapshot } from "./snapshot.ts";
import { hasEffect } from "./state/merge.ts";
import type { StoreRef } from "./store.ts";

/** How long the lock is waited for before the files are read without it. */
const LOCK_LIMIT_MS = 5_000;
const LOOK_MS = 20;

/** What the files of a queue hold. */
export interface QueueInspection {
  /** The id by which hosts know the queue. */
  readonly id: string;
  /** The jobs in file order: all that can be known of them, if one of the files cannot be read. */
  readonly jobs: Jobs;
  /** Why the YAML cannot be read, or null. */
  readonly yamlProblem: CmsError | null;
  /** Where the journal is damaged; the records before count. null if it is not. */
  readonly journalProblem: CmsError | null;
  /** Bytes at the journal's end that belong to no whole commit. */
  readonly tornBytes: number;
  /** Host and directory where the journal was begun, if that is not here; else null. */
  readonly begunAt: string | null;
  /** A person edited the YAML since the journal was begun. */
  readonly isEdited: boolean;
  /** Edits that do not count. */
  readonly warnings: readonly string[];
  /** Changes in the journal that the YAML does not show yet. */
  readonly unwritten: number;
  /** Who runs the queue now. */
  readonly runner: Runner | null;
  readonly lastRun: LastRun | null;
  /** Names of files that killed writers left. */
  readonly leftovers: readonly string[];
  /** Somebody held the lock all the time: the files may have been read in the middle of a change. */
  readonly isLocked: boolean;
}

/**
 * Looks at a queue's files.
 * @throws {CmsError} `not_found` if there is neither a YAML file nor a journal.
 */
export async function inspectQueue(deps: Deps, ref: StoreRef): Promise<QueueInspection> {
  const paths = storePaths(ref, "queue");
  try {
    const lock = await lookIn(deps, paths);
    const leftovers = lock === null || lock === "held"
      ? []
      : await leftBy(deps, ref, paths).finally(() => lock.release());
    const found = await read(deps, ref, paths);
    const runner = await readRunner(deps, paths);
    const lastRun = await readLastRun(deps, paths);
    return { ...found, runner, lastRun, leftovers, isLocked: lock === "held" };
  } catch (error) {
    throw storeError(paths.shown, "read", error);
  }
}

/**
 * Files that killed writers left. Such a file is being written where a run goes on, which makes them without the lock.
 */
async function leftBy(deps: Deps, ref: StoreRef, paths: StorePaths): Promise<string[]> {
  return await readRunner(deps, paths) === null ? await leftTemporaries(deps, ref) : [];
}

/**
 * Takes the lock for a moment. A lock file that is not there is not made; a stopped process that holds it stops nobody
 * here.
 */
async function lookIn({ files, clock }: Deps, { lock }: StorePaths): Promise<FileLock | "held" | null> {
  if (await files.stamp(lock) === null) return null;
  const limitAtMs = clock.now() + LOCK_LIMIT_MS;
  while (true) {
    try {
      const held = await files.lock(lock, { mode: "shared", wait: false });
      if (held !== null) return held;
    } catch {
      return null; // No right to it: the stamps say whether something changed meanwhile.
    }
    if (clock.now() >= limitAtMs) return "held";
    await clock.sleepUntil(clock.now() + LOOK_MS);
  }
}

type Found = Omit<QueueInspection, "runner" | "lastRun" | "leftovers" | "isLocked">;

async function read(deps: Deps, ref: StoreRef, paths: StorePaths): Promise<Found> {
  const journal = new JournalFile(deps.files, paths, ref.experiment, { isLenient: true });
  const snapshot = await readSnapshot(deps, paths, journal, null).finally(() => journal.close());
  const { header, records } = snapshot;
  let jobs = new Map<JobName, Job>();
  let hash = "";
  let yamlProblem: CmsError | null = null;
  try {
    jobs = snapshot.parse();
    hash = snapshot.yaml.hash;
  } catch (error) {
    if (!(error instanceof CmsError)) throw error;
    const isEmpty = (journal.stamp?.sizeBytes ?? 0) === 0 && journal.problem === null;
    if (error.code === "not_found" && isEmpty) throw notFound("queue", paths.shown);
    yamlProblem = error;
  }
  // Without a YAML the journal still knows whole jobs: those in flight, and those that were added since.
  const merged = snapshot.merge(jobs, hash);
  const isEdited = merged.file !== null && yamlProblem === null;
  const at = await placeOf(deps, ref);
  return {
    id: header?.queue ?? deps.ids.hex(8),
    jobs: merged.jobs,
    yamlProblem,
    journalProblem: journal.problem,
    tornBytes: journal.tornBytes,
    begunAt: header === null || header.at === at ? null : header.at,
    isEdited,
    warnings: isEdited ? merged.warnings : [],
    unwritten: merged.differs && yamlProblem === null ? records.filter(hasEffect).length : 0,
  };
}
