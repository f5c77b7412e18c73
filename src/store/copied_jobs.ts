/**
 * Finds out whether a queue file is a copy: another queue has the same jobs. What hosts have of them is that queue's.
 *
 * A queue whose journal was begun where it stands is none, and nothing is read.
 *
 * @module
 */

import type { Deps, FileStamp } from "../deps.ts";
import type { JournalHeader } from "./journal/journal.ts";
import { listNames, storePaths } from "./paths.ts";
import { readQueueId } from "./queue_id.ts";
import type { StoreRef } from "./store.ts";

/** Ids of jobs as they stand in queue files. */
const IDS = /\bid: ['"]?([0-9a-f]{32})\b/g;

/** The journal of the queue that may be a copy: null without one; and the file that it was read from. */
export interface OwnJournalFile {
  readonly header: JournalHeader | null;
  readonly stamp: FileStamp | null;
}

/**
 * Ids of jobs of the queues that this one may be a copy of: without a journal of its own, those beside it; with one
 * that was begun in another directory, the queue that is still there. A directory that was moved is no copy.
 */
export async function idsOfOthers(deps: Deps, ref: StoreRef, own: OwnJournalFile): Promise<ReadonlySet<string>> {
  const { header, stamp } = own;
  const ids = new Set<string>();
  if (header === null) {
    for (const name of await listNames(deps, ref.directory, "queue")) {
      if (name !== ref.name) await addIds(deps, { ...ref, name }, ids);
    }
    return ids;
  }
  const before = { ...ref, directory: header.at.slice(header.at.indexOf(":") + 1) };
  const there = await deps.files.stamp(storePaths(before, "queue").journal).catch(() => null);
  // The same file by another path is no other queue.
  if (there === null || there.inode === stamp?.inode) return ids;
  if (await readQueueId(deps, before) === header.queue) await addIds(deps, before, ids);
  return ids;
}

/** A file that cannot be read has none. */
async function addIds(deps: Deps, ref: StoreRef, ids: Set<string>): Promise<void> {
  const bytes = await deps.files.readBytes(storePaths(ref, "queue").file).catch(() => null);
  if (bytes === null) return;
  for (const [, id] of new TextDecoder().decode(bytes).matchAll(IDS)) ids.add(id!);
}
