/**
 * A queue's files as they stand, looked at without changing anything, whatever state they are in: for `check`. Where
 * opening a queue gives up (a file that does not parse, a damaged journal), this says what is wrong and goes on with
 * what can be read.
 *
 * @module
 */

import { CmsError, StoreError } from "../errors.ts";
import type { Deps, FileLock } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import type { Jobs } from "./changes.ts";
import { parseJobs } from "./yaml/job_record.ts";
import { type JournalPart, parseJournal } from "./journal/journal.ts";
import { hasEffect, mergeState } from "./state/merge.ts";
import { codeOf } from "../system_errors.ts";
import { notFound, storeError } from "./file_errors.ts";
import { readYaml } from "./yaml/yaml_file.ts";
import { sameStamp } from "./lock.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { leftTemporaries, readLastRun, readRunner } from "./run_claim.ts";
import type { LastRun, Runner } from "./run_status.ts";
import type { StoreRef } from "./store.ts";
import { isNamed, readSettled, type YamlRead } from "./yaml/read_settled.ts";

/** How long the lock is waited for before the files are read without it. */
const LOCK_LIMIT_MS = 5_000;
const LOOK_MS = 20;
const TRIES = 5;

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
    // While somebody holds the lock such a file may just be written.
    const leftovers = lock === null || lock === "held"
      ? []
      : await leftTemporaries(deps, ref).finally(() => lock.release());
    for (let i = 1;; i++) {
      const before = await stamps(deps, paths);
      const { found, isSure } = await read(deps, ref, paths);
      const after = await stamps(deps, paths);
      // A journal that grows is no change of what was read.
      const isStill = sameStamp(before[0], after[0]) && before[1]?.inode === after[1]?.inode;
      if (i < TRIES && !isSure && !isStill) continue;
      const runner = await readRunner(deps, paths);
      const lastRun = await readLastRun(deps, paths);
      return { ...found, runner, lastRun, leftovers, isLocked: lock === "held" };
    }
  } catch (error) {
    throw storeError(paths.shown, "read", error);
  }
}

function stamps({ files }: Deps, { file, journal }: StorePaths) {
  return Promise.all([files.stamp(file), files.stamp(journal)]);
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

/** Reads both as `snapshot.ts` does. `isSure`: the journal names the YAML, so that nothing can have come in between. */
async function read(deps: Deps, ref: StoreRef, paths: StorePaths): Promise<{ found: Found; isSure: boolean }> {
  const first: { read: YamlRead | null } = { read: null };
  const readFirst = async (): Promise<void> => {
    const stamp = await deps.files.stamp(paths.file);
    first.read = { yaml: await readYaml(deps, paths), stamp };
  };
  const journal = await readJournal(deps, ref, paths, readFirst);
  if (first.read === null) await readFirst();
  const { header, records } = journal.part;
  const { yaml } = await readSettled(deps, paths, first.read!, journal.part, null);
  let jobs = new Map<JobName, Job>();
  let hash = "";
  let yamlProblem: CmsError | null = null;
  try {
    if (yaml instanceof CmsError) throw yaml;
    jobs = parseJobs(yaml.text, { shown: paths.shown, experiment: ref.experiment });
    hash = yaml.hash;
  } catch (error) {
    if (!(error instanceof CmsError)) throw error;
    if (error.code === "not_found" && journal.bytes === 0) throw notFound("queue", paths.shown);
    yamlProblem = error;
  }
  // Without a YAML the journal still knows whole jobs: those in flight, and those that were added since.
  const merged = mergeState({ jobs, hash }, header === null ? null : { header, records });
  const isEdited = merged.file !== null && yamlProblem === null;
  const at = `${deps.environment.hostname()}:${await deps.files.realPath(ref.directory)}`;
  const found = {
    id: header?.queue ?? deps.ids.hex(8),
    jobs: merged.jobs,
    yamlProblem,
    journalProblem: journal.problem,
    tornBytes: journal.problem === null ? journal.bytes - journal.part.goodBytes : 0,
    begunAt: header === null || header.at === at ? null : header.at,
    isEdited,
    warnings: isEdited ? merged.warnings : [],
    unwritten: merged.differs && yamlProblem === null ? records.filter(hasEffect).length : 0,
  };
  return { found, isSure: header !== null && isNamed(hash, header, records) };
}

async function readJournal(
  { files }: Deps,
  ref: StoreRef,
  paths: StorePaths,
  between: () => Promise<void>,
): Promise<{ part: JournalPart; bytes: number; problem: CmsError | null }> {
  const options = { shown: paths.shownJournal, lines: 0, experiment: ref.experiment };
  const nothing = { header: null, records: [], goodBytes: 0, goodLines: 0 };
  let bytes: Uint8Array;
  try {
    const file = await files.openAppend(paths.journal, { create: false });
    try {
      await between();
      bytes = await file?.readFrom(0) ?? new Uint8Array();
    } finally {
      file?.close();
    }
  } catch (cause) {
    if (codeOf(cause) === "") throw cause;
    return { part: nothing, bytes: 1, problem: storeError(paths.shownJournal, "read", cause) as CmsError };
  }
  try {
    return { part: parseJournal(bytes, options), bytes: bytes.length, problem: null };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const part = parseJournal(bytes.subarray(0, startOfLine(bytes, error.line)), options);
    return { part, bytes: bytes.length, problem: error };
  }
}

/** Where a line begins, which counts from 1. */
function startOfLine(bytes: Uint8Array, line: number): number {
  let start = 0;
  for (let i = 1; i < line; i++) start = bytes.indexOf(10, start) + 1;
  return start;
}
