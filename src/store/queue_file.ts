/**
 * Queues on files: made, opened, listed. What an open queue does is in `journaled_queue.ts`.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { JournaledQueue } from "./journaled_queue.ts";
import { locked, stampOf } from "./lock.ts";
import { notFound, storeError } from "./file_errors.ts";
import { owedFiles } from "./owed_notices.ts";
import { storePaths } from "./paths.ts";
import type { QueueStore, StoreRef } from "./store.ts";
import { joinBlocks } from "./yaml/yaml.ts";

export { listNames } from "./paths.ts";

/**
 * Makes a queue's directory and file. An existing file is read, not changed.
 * @returns False if it existed. @throws {StoreError} If it cannot be made, or exists and cannot be read.
 */
export async function createQueue(deps: Deps, ref: StoreRef): Promise<boolean> {
  const paths = storePaths(ref, "queue");
  try {
    await deps.files.makeDirectory(ref.directory);
  } catch (error) {
    throw storeError(ref.experiment, "make the directory", error);
  }
  const made = await locked(deps, paths, async () => {
    if (await stampOf(deps, paths) !== null) return false;
    try {
      // What a removed queue of the same name left must not come back.
      await deps.files.remove(paths.journal);
      await deps.files.replace(paths.file, joinBlocks([]));
    } catch (error) {
      throw storeError(paths.shown, "write", error);
    }
    return true;
  });
  if (!made) (await openQueue(deps, ref)).close();
  return made;
}

/**
 * Opens a queue. Makes no file.
 * @throws {CmsError} `not_found` if there is none; {@link StoreError} if it cannot be read.
 */
export async function openQueue(deps: Deps, ref: StoreRef): Promise<QueueStore> {
  const paths = storePaths(ref, "queue");
  let place: string;
  try {
    if (await deps.files.stamp(paths.file) === null) throw notFound("queue", paths.shown);
    place = await placeOf(deps, ref);
  } catch (error) {
    throw storeError(paths.shown, "read", error);
  }
  const queue = new JournaledQueue(deps, ref, place);
  try {
    await queue.load();
  } catch (error) {
    queue.close();
    throw storeError(paths.shown, "read", error);
  }
  return queue;
}

/** Where a queue lives: a journal that names another place is a copy. */
export async function placeOf(deps: Deps, ref: StoreRef): Promise<string> {
  return `${deps.environment.hostname()}:${await deps.files.realPath(ref.directory)}`;
}

/**
 * Removes a queue's files; the lock file stays, as others may wait for it. The caller holds the right to run the queue.
 * @throws {CmsError} `not_found` if there is none; {@link StoreError} if they cannot be removed.
 */
export async function removeQueue(deps: Deps, ref: StoreRef): Promise<void> {
  const paths = storePaths(ref, "queue");
  await locked(deps, paths, async () => {
    try {
      // First the YAML: a journal alone is no queue, and is removed when one of this name is made.
      if (!await deps.files.remove(paths.file)) throw notFound("queue", paths.shown);
      await deps.files.remove(paths.journal);
      await deps.files.remove(paths.run);
      await deps.files.remove(paths.log);
      await deps.files.remove(paths.pause);
      await deps.files.remove(paths.history);
      await deps.files.remove(paths.plan);
      await deps.files.remove(paths.collected);
      await deps.files.remove(paths.allocations);
      for (const file of owedFiles(paths)) await deps.files.remove(file);
    } catch (error) {
      throw storeError(paths.shown, "remove", error);
    }
  });
}
