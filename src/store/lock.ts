/**
 * The lock of a queue or cluster, and how a file is seen to have changed.
 *
 * @module
 */

import type { Deps, FileLock, FileStamp } from "../deps.ts";
import { storeError } from "./file_errors.ts";
import type { StorePaths } from "./paths.ts";

/** Waits for the lock of a queue or cluster. Whoever only reads takes none. */
export async function takeLock(deps: Deps, paths: StorePaths): Promise<FileLock> {
  let lock: FileLock | null;
  try {
    lock = await deps.files.lock(paths.lock, { mode: "exclusive", wait: true });
  } catch (error) {
    throw storeError(paths.shown, "lock", error);
  }
  if (lock === null) throw new RangeError("A lock that is waited for was not given");
  return lock;
}

/** Does `body` while holding the lock. */
export async function locked<T>(deps: Deps, paths: StorePaths, body: (lock: FileLock) => Promise<T>): Promise<T> {
  const lock = await takeLock(deps, paths);
  try {
    return await body(lock);
  } finally {
    lock.release();
  }
}

/** The stamp of the YAML file. @throws {StoreError} If what is there cannot be looked at. */
export async function stampOf(deps: Deps, paths: StorePaths): Promise<FileStamp | null> {
  try {
    return await deps.files.stamp(paths.file);
  } catch (error) {
    throw storeError(paths.shown, "read", error);
  }
}

type StampTimes = Pick<FileStamp, "inode" | "sizeBytes" | "modifiedMs">;

/** True if nothing happened to a file between two looks. */
export function sameStamp(a: StampTimes | null, b: StampTimes | null): boolean {
  return a?.inode === b?.inode && a?.sizeBytes === b?.sizeBytes && a?.modifiedMs === b?.modifiedMs;
}
