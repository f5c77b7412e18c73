/**
 * The manager's disk as one of its processes sees it: calls take time, may be the process's last, and may find the disk
 * full.
 *
 * @module
 */

import type { AppendFile, FileLock, Files, FileStamp } from "../deps.ts";
import type { MemoryAppendFile, MemoryFiles } from "./memory_files.ts";
import type { Random } from "./random.ts";

/** How often a call lets others go first. */
const YIELD_CHANCE = 0.01;

function full(): Error {
  return Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}

/** The process that uses the files, as far as its calls pass through it. */
export interface Gate {
  readonly alive: boolean;
  readonly isStopped: boolean;
  readonly parts: {
    readonly random: Pick<Random, "hex" | "chance" | "between" | "below">;
    readonly syncMs: number;
    readonly writeMsPerByte: number;
    readonly stirred: () => void;
    onLock(process: Gate, path: string): void;
    onWrite(process: Gate, path: string, bytes: Uint8Array | null): void;
    /** A sync begins; what it gives is called at its end. */
    readonly onSync: (path: string) => () => void;
  };
  /** Counts a step. False if the process is dead, perhaps since this very step. */
  step(): boolean;
  /** Resolves after some virtual time; never if the process has died. */
  pause(ms: number): Promise<void>;
}

/** {@link Files} of one process. */
export class GatedFiles implements Files {
  /** The disk is full: what needs room fails. */
  static readonly fullDisks = new WeakSet<MemoryFiles>();
  readonly #process: Gate;
  readonly #disk: MemoryFiles;
  readonly #locks = new Set<FileLock>();

  constructor(process: Gate, disk: MemoryFiles) {
    this.#process = process;
    this.#disk = disk;
  }

  /** The process has ended: its locks go with it. */
  releaseAll(): void {
    this.#process.parts.stirred(); // For those who wait for them.
    for (const lock of this.#locks) lock.release();
    this.#locks.clear();
  }

  readText(path: string): Promise<string | null> {
    return this.#call(() => this.#disk.readText(path));
  }

  stamp(path: string): Promise<FileStamp | null> {
    return this.#call(() => this.#disk.stamp(path));
  }

  readBytes(path: string): Promise<Uint8Array | null> {
    return this.#call(() => this.#disk.readBytes(path));
  }

  pieces(path: string, offset: number): AsyncIterable<Uint8Array> {
    return this.#disk.pieces(path, offset);
  }

  hash(pieces: readonly Uint8Array[] | AsyncIterable<Uint8Array>): Promise<string> {
    return this.#disk.hash(pieces);
  }

  async replace(
    path: string,
    content: string | readonly Uint8Array[],
    mayReplace = () => Promise.resolve(true),
  ): Promise<boolean> {
    const slash = path.lastIndexOf("/");
    const temporary = `${path.slice(0, slash)}/.${path.slice(slash + 1)}.${this.#process.parts.random.hex(8)}.tmp`;
    if (!this.#process.step()) return await never();
    this.#needRoom();
    const bytes = typeof content === "string" ? content.length : content.reduce((sum, { length }) => sum + length, 0);
    this.#disk.writeSynced(temporary, content);
    await this.#process.pause(this.#process.parts.syncMs + bytes * this.#process.parts.writeMsPerByte);
    const may = await mayReplace().catch(async (error) => {
      await this.#disk.remove(temporary);
      throw error;
    });
    if (!this.#process.step()) return await never();
    if (!may) {
      await this.#disk.remove(temporary);
      return false;
    }
    this.#disk.rename(temporary, path);
    this.#process.parts.onWrite(this.#process, path, null);
    await this.#process.pause(this.#process.parts.syncMs);
    if (!this.#process.step()) return await never();
    await this.#disk.syncDirectory(path.slice(0, slash));
    return true;
  }

  async syncDirectory(path: string): Promise<void> {
    if (!this.#process.step()) return await never();
    await this.#process.pause(this.#process.parts.syncMs);
    if (!this.#process.step()) return await never();
    await this.#disk.syncDirectory(path);
  }

  async openAppend(path: string, options: { create: boolean }): Promise<AppendFile | null> {
    const file = await this.#call(() => this.#disk.openAppend(path, options));
    return file === null ? null : this.#append(path, file);
  }

  async lock(path: string, options: { mode: "shared" | "exclusive"; wait: boolean }): Promise<FileLock | null> {
    if (!this.#process.step()) return await never();
    this.#process.parts.onLock(this.#process, path);
    const lock = await this.#disk.lock(path, options);
    this.#process.parts.stirred();
    if (lock === null) return null;
    if (!this.#process.alive) {
      lock.release();
      return await never();
    }
    this.#locks.add(lock);
    if (this.#process.isStopped) await this.#process.pause(0);
    return {
      describe: (text) => this.#call(() => lock.describe(text)),
      release: () => {
        // A dead process has released it.
        if (!this.#process.alive) return;
        this.#locks.delete(lock);
        lock.release();
      },
    };
  }

  makeDirectory(path: string): Promise<void> {
    return this.#call(() => this.#disk.makeDirectory(path));
  }

  list(path: string): Promise<string[] | null> {
    return this.#call(() => this.#disk.list(path));
  }

  remove(path: string): Promise<boolean> {
    return this.#call(() => this.#disk.remove(path));
  }

  realPath(path: string): Promise<string> {
    return this.#call(() => this.#disk.realPath(path));
  }

  watch(directory: string, signal: AbortSignal): AsyncIterable<string> {
    return this.#disk.watch(directory, signal);
  }

  #call<T>(act: () => Promise<T>): Promise<T> {
    if (!this.#process.step()) return never();
    if (!this.#process.parts.random.chance(YIELD_CHANCE)) return act();
    return this.#process.pause(this.#process.parts.random.between(0, 2)).then(() =>
      this.#process.alive ? act() : never()
    );
  }

  #needRoom(): void {
    if (GatedFiles.fullDisks.has(this.#disk)) throw full();
  }

  #append(path: string, file: MemoryAppendFile): AppendFile {
    const { parts } = this.#process;
    return {
      size: () => this.#call(() => file.size()),
      stamp: () => this.#call(() => file.stamp()),
      readFrom: (offset, most) => this.#call(() => file.readFrom(offset, most)),
      append: (bytes) => {
        if (!this.#process.alive) return never();
        const isFull = GatedFiles.fullDisks.has(this.#disk);
        if (!this.#process.step() || isFull) {
          // A call that is cut short may have written a part.
          const part = bytes.subarray(0, parts.random.below(bytes.length));
          if (parts.random.chance(0.5)) file.append(part);
          return isFull && this.#process.alive ? Promise.reject(full()) : never();
        }
        file.append(bytes);
        parts.onWrite(this.#process, path, bytes);
        return Promise.resolve();
      },
      truncate: (sizeBytes) => this.#call(() => file.truncate(sizeBytes)),
      sync: async () => {
        if (!this.#process.step()) return await never();
        const [sizeBytes, synced] = [await file.size(), parts.onSync(path)];
        await this.#process.pause(parts.syncMs);
        if (!this.#process.step()) return await never();
        // Some file systems take what is written and find only now that there is no room for it.
        this.#needRoom();
        await file.sync(sizeBytes);
        synced();
      },
      close: () => file.close(),
    };
  }
}
