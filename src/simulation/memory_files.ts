/**
 * A file system in memory, with what a power cut takes: bytes that were not synced, and names that were made or removed
 * but whose directory was not synced since. Every change gets a new `modifiedMs`, so that stamps differ whenever files
 * do.
 *
 * @module
 */

import { joined } from "../bytes.ts";
import type { AppendFile, FileLock, Files, FileStamp } from "../deps.ts";
import { type LockMode, MemoryLocks } from "./memory_locks.ts";

interface Inode {
  readonly number: number;
  /** With room to grow; only the first `sizeBytes` count. */
  buffer: Uint8Array;
  sizeBytes: number;
  /** So many of them are on the disk. */
  syncedBytes: number;
  modifiedMs: number;
}

/** A file that is open; what is appended during a sync is none of its business. */
export interface MemoryAppendFile extends AppendFile {
  /** @param upTo So many of its bytes were there when the sync began. */
  sync(upTo?: number): Promise<void>;
}

function missing(path: string): Error {
  return Object.assign(new Error(`No such file or directory: '${path}'`), { code: "ENOENT" });
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function bytesOf(inode: Inode): Uint8Array {
  return inode.buffer.subarray(0, inode.sizeBytes);
}

function stampOf({ sizeBytes, modifiedMs, number }: Inode): FileStamp {
  return { sizeBytes, modifiedMs, inode: number, isDirectory: false };
}

function fill(inode: Inode, content: string | readonly Uint8Array[]): void {
  inode.buffer = typeof content === "string" ? encoder.encode(content) : joined(content);
  inode.sizeBytes = inode.buffer.length;
  inode.syncedBytes = 0;
}

/** The {@link Files} of one machine. */
export class MemoryFiles implements Files {
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #directories = new Set<string>(["/"]);
  #locks = new MemoryLocks();
  #watchers = new Set<(path: string) => void>();
  readonly #clock: (() => number) | null;
  readonly #hash: ((pieces: readonly Uint8Array[]) => string) | null;
  #inodes = 0;
  #modifications = 0;

  /**
   * @param options `clock` gives times of changes, epoch ms; without one each change has another time. `hash` stands in
   * for SHA-256, which takes a turn of the event loop.
   */
  constructor(options: { clock?: () => number; hash?: (pieces: readonly Uint8Array[]) => string } = {}) {
    this.#clock = options.clock ?? null;
    this.#hash = options.hash ?? null;
  }

  #time(): number {
    return this.#clock === null ? ++this.#modifications : this.#clock();
  }

  /**
   * Power fails: what was not synced is gone, all locks with it. `keep` (0 to 1) is the part of each file's unsynced
   * bytes that happened to reach the disk.
   */
  powerCut(keep = 0): void {
    this.#names = new Map(this.#durableNames);
    this.#locks = new MemoryLocks();
    for (const inode of this.#names.values()) {
      const lost = inode.sizeBytes - inode.syncedBytes;
      inode.sizeBytes = inode.syncedBytes + Math.floor(lost * keep);
      inode.syncedBytes = inode.sizeBytes;
      inode.modifiedMs = this.#time();
    }
  }

  /** Writes as an editor or a careless program does: in place, at once durable. */
  edit(path: string, text: string): void {
    const inode = this.#names.get(path) ?? this.#make(path);
    fill(inode, text);
    inode.syncedBytes = inode.sizeBytes;
    this.#durableNames.set(path, inode);
    this.#changed(path, inode);
  }

  #make(path: string): Inode {
    if (!this.#directories.has(parentOf(path))) throw missing(path);
    const inode = {
      number: ++this.#inodes,
      buffer: new Uint8Array(),
      sizeBytes: 0,
      syncedBytes: 0,
      modifiedMs: this.#time(),
    };
    this.#names.set(path, inode);
    return inode;
  }

  #changed(path: string, inode?: Inode): void {
    if (inode !== undefined) inode.modifiedMs = this.#time();
    for (const tell of this.#watchers) tell(path);
  }

  /** Makes the names in a directory durable. */
  // deno-lint-ignore require-await
  async syncDirectory(directory: string): Promise<void> {
    for (const path of this.#durableNames.keys()) {
      if (parentOf(path) === directory && !this.#names.has(path)) this.#durableNames.delete(path);
    }
    for (const [path, inode] of this.#names) if (parentOf(path) === directory) this.#durableNames.set(path, inode);
  }

  // deno-lint-ignore require-await
  async readText(path: string): Promise<string | null> {
    const inode = this.#names.get(path);
    return inode === undefined ? null : STRICT.decode(bytesOf(inode));
  }

  // deno-lint-ignore require-await
  async readBytes(path: string): Promise<Uint8Array | null> {
    const inode = this.#names.get(path);
    return inode === undefined ? null : bytesOf(inode).slice();
  }

  async hash(pieces: readonly Uint8Array[] | AsyncIterable<Uint8Array>): Promise<string> {
    const all = "length" in pieces ? pieces : await Array.fromAsync(pieces);
    if (this.#hash !== null) return this.#hash(all);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(all))).toHex();
  }

  /** Pieces so small that what is looked for stands across several. */
  async *pieces(path: string, offset: number): AsyncGenerator<Uint8Array> {
    const bytes = await this.readBytes(path);
    if (bytes === null) throw missing(path);
    for (let at = offset; at < bytes.length; at += 7) yield bytes.slice(at, at + 7);
  }

  /** The text as an onlooker sees it, at once; null if there is no such file. */
  textNow(path: string): string | null {
    const inode = this.#names.get(path);
    return inode === undefined ? null : new TextDecoder().decode(bytesOf(inode));
  }

  /** Names of the files in a directory. */
  namesNow(directory: string): string[] {
    return [...this.#names.keys()].filter((path) => parentOf(path) === directory)
      .map((path) => path.slice(directory.length + 1)).sort();
  }

  /** Tells at once of each file that is changed. */
  onChange(tell: (path: string) => void): void {
    this.#watchers.add(tell);
  }

  // deno-lint-ignore require-await
  async stamp(path: string): Promise<FileStamp | null> {
    if (this.#directories.has(path)) return { sizeBytes: 0, modifiedMs: 0, inode: 0, isDirectory: true };
    const inode = this.#names.get(path);
    if (inode === undefined) return null;
    return stampOf(inode);
  }

  async replace(
    path: string,
    content: string | readonly Uint8Array[],
    mayReplace = () => Promise.resolve(true),
  ): Promise<boolean> {
    if (!await mayReplace()) return false;
    const temporary = `${parentOf(path)}/.${path.slice(path.lastIndexOf("/") + 1)}.${this.#inodes}.tmp`;
    this.writeSynced(temporary, content);
    this.rename(temporary, path);
    await this.syncDirectory(parentOf(path));
    return true;
  }

  /** Makes a file whose bytes are on the disk; its name is not yet. */
  writeSynced(path: string, content: string | readonly Uint8Array[]): void {
    const inode = this.#make(path);
    fill(inode, content);
    inode.syncedBytes = inode.sizeBytes;
    this.#changed(path);
  }

  /** Gives a file another name in the same directory; durable with {@link MemoryFiles.syncDirectory}. */
  rename(from: string, to: string): void {
    const inode = this.#names.get(from);
    if (inode === undefined) throw missing(from);
    this.#names.delete(from);
    this.#names.set(to, inode);
    this.#changed(to);
  }

  // deno-lint-ignore require-await
  async openAppend(path: string, { create }: { create: boolean }): Promise<MemoryAppendFile | null> {
    const found = this.#names.get(path) ?? null;
    if (found === null && !create) return null;
    const inode = found ?? this.#make(path);
    return {
      size: () => Promise.resolve(inode.sizeBytes),
      stamp: () => Promise.resolve(stampOf(inode)),
      readFrom: (offset, most = Infinity) =>
        Promise.resolve(inode.buffer.slice(offset, Math.max(offset, Math.min(inode.sizeBytes, offset + most)))),
      append: (bytes) => {
        const needed = inode.sizeBytes + bytes.length;
        if (needed > inode.buffer.length) {
          const grown = new Uint8Array(2 * needed);
          grown.set(bytesOf(inode));
          inode.buffer = grown;
        }
        inode.buffer.set(bytes, inode.sizeBytes);
        inode.sizeBytes = needed;
        return this.#appended(path, inode);
      },
      truncate: (sizeBytes) => {
        inode.sizeBytes = Math.min(inode.sizeBytes, sizeBytes);
        inode.syncedBytes = Math.min(inode.syncedBytes, inode.sizeBytes);
        return this.#appended(path, inode);
      },
      sync: (upTo = inode.sizeBytes) => {
        inode.syncedBytes = Math.min(inode.sizeBytes, Math.max(inode.syncedBytes, upTo));
        return Promise.resolve();
      },
      close: () => {},
    };
  }

  #appended(path: string, inode: Inode): Promise<void> {
    this.#changed(path, inode);
    return Promise.resolve();
  }

  async lock(path: string, { mode, wait }: { mode: LockMode; wait: boolean }): Promise<FileLock | null> {
    if (!this.#names.has(path)) this.#make(path);
    return await this.#locks.take(path, {
      mode,
      wait,
      describe: (text) => {
        const inode = this.#names.get(path) ?? this.#make(path);
        fill(inode, text);
        inode.modifiedMs = this.#time();
      },
    });
  }

  // deno-lint-ignore require-await
  async makeDirectory(path: string): Promise<void> {
    for (let part = path; part !== "/" && part !== ""; part = parentOf(part)) this.#directories.add(part);
  }

  // deno-lint-ignore require-await
  async list(path: string): Promise<string[] | null> {
    if (!this.#directories.has(path)) return null;
    const all = [...this.#names.keys(), ...this.#directories].filter((name) =>
      name !== path && parentOf(name) === path
    );
    return all.map((name) => name.slice(name.lastIndexOf("/") + 1)).sort();
  }

  async remove(path: string): Promise<boolean> {
    let found = this.#directories.delete(path);
    for (const name of [...this.#names.keys()]) {
      if (name !== path && !name.startsWith(`${path}/`)) continue;
      found = this.#names.delete(name);
      this.#changed(name);
    }
    await this.syncDirectory(parentOf(path));
    return found;
  }

  // deno-lint-ignore require-await
  async realPath(path: string): Promise<string> {
    if (!this.#directories.has(path) && !this.#names.has(path)) throw missing(path);
    return path;
  }

  async *watch(directory: string, signal: AbortSignal): AsyncIterable<string> {
    const names: string[] = [];
    let wake = () => {};
    const tell = (path: string) => {
      if (parentOf(path) === directory) names.push(path.slice(directory.length + 1));
      wake();
    };
    this.#watchers.add(tell);
    signal.addEventListener("abort", () => wake(), { once: true });
    try {
      while (!signal.aborted) {
        const name = names.shift();
        if (name !== undefined) yield name;
        else await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      this.#watchers.delete(tell);
    }
  }
}
