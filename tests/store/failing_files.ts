/**
 * Files that fail at the n-th operation that writes.
 *
 * @module
 */

import type { AppendFile, FileLock, Files } from "../../src/deps.ts";
import { MemoryFiles } from "../../testing/memory_files.ts";

/** The process is gone. */
export class Died extends Error {}

/**
 * How an operation fails: without effect, with half of it (an append; a replacement that is not durable), or after all
 * of it.
 */
export type Moment = "before" | "half" | "after";

/** What happens at the n-th writing operation, counted from 1. */
export interface Failure {
  readonly at: number;
  readonly moment: Moment;
  /** null: the process dies, and nothing works any more. A code such as ENOSPC: this one operation fails. */
  readonly code: string | null;
}

/** Wraps files. `count()` says how many writing operations there were. */
export function failingFiles(files: Files, failure: Failure): Files & { count(): number } {
  let operations = 0;
  let dead = false;

  function alive(): void {
    if (dead) throw new Died("dead");
  }

  async function write<T>(
    action: () => Promise<T>,
    half: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<T> {
    alive();
    if (++operations !== failure.at) return await action();
    if (failure.moment === "half") await half();
    if (failure.moment === "after") await action();
    dead = failure.code === null;
    alive();
    throw Object.assign(new Error("no"), { code: failure.code });
  }

  function read<T>(action: () => Promise<T>): Promise<T> {
    alive();
    return action();
  }

  function appendFile(file: AppendFile): AppendFile {
    return {
      size: () => read(() => file.size()),
      stamp: () => read(() => file.stamp()),
      readFrom: (offset, most) => read(() => file.readFrom(offset, most)),
      append: (bytes) => write(() => file.append(bytes), () => file.append(bytes.subarray(0, bytes.length >> 1))),
      truncate: (sizeBytes) => write(() => file.truncate(sizeBytes)),
      sync: () => write(() => file.sync()),
      close: () => file.close(),
    };
  }

  function lock(held: FileLock | null): FileLock | null {
    return held === null
      ? null
      : { describe: (text) => write(() => held.describe(text)), release: () => held.release() };
  }

  /** Half a replacement: the new file stands there, but a power cut brings back the old one. */
  async function renamed(path: string, text: string | readonly Uint8Array[]): Promise<void> {
    if (!(files instanceof MemoryFiles)) return;
    files.writeSynced(`${path}.tmp`, text);
    await Promise.resolve(files.rename(`${path}.tmp`, path));
  }

  return {
    count: () => operations,
    readText: (path) => read(() => files.readText(path)),
    readBytes: (path) => read(() => files.readBytes(path)),
    hash: (pieces) => read(() => files.hash(pieces)),
    pieces: (path, offset) => {
      alive();
      return files.pieces(path, offset);
    },
    stamp: (path) => read(() => files.stamp(path)),
    replace: (path, text, mayReplace) => write(() => files.replace(path, text, mayReplace), () => renamed(path, text)),
    syncDirectory: (path) => write(() => files.syncDirectory(path)),
    openAppend: async (path, options) => {
      const file = await read(() => files.openAppend(path, options));
      return file === null ? null : appendFile(file);
    },
    lock: async (path, options) => lock(await read(() => files.lock(path, options))),
    makeDirectory: (path) => write(() => files.makeDirectory(path)),
    list: (path) => read(() => files.list(path)),
    remove: (path) => write(() => files.remove(path)),
    realPath: (path) => read(() => files.realPath(path)),
    watch: (directory, signal) => files.watch(directory, signal),
  };
}
