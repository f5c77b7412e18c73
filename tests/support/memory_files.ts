/**
 * A file system in memory, with what a power cut takes: bytes that were not synced, and names that were made or removed but whose
 * directory was not synced since. Every change gets a new `modifiedMs`, so that stamps differ whenever files do.
 *
 * @module
 */

import type { AppendFile, Deps, FileLock, Files, FileStamp } from "../../src/deps.ts";

interface Inode {
  readonly number: number;
  bytes: Uint8Array;
  synced: Uint8Array;
  modifiedMs: number;
}

interface LockState {
  readers: number;
  writer: boolean;
  waiting: { mode: "shared" | "exclusive"; go: () => void }[];
}

function missing(path: string): Error {
  return Object.assign(new Error(`No such file or directory: '${path}'`), { code: "ENOENT" });
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

/** The {@link Files} of one machine. */
export class MemoryFiles implements Files {
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #directories = new Set<string>(["/"]);
  #locks = new Map<string, LockState>();
  #watchers = new Set<(path: string) => void>();
  #inodes = 0;
  #modifications = 0;

  /**
   * Power fails: what was not synced is gone, all locks with it. `keep` (0 to 1) is the part of each file's unsynced bytes that
   * happened to reach the disk.
   */
  powerCut(keep = 0): void {
    this.#names = new Map(this.#durableNames);
    this.#locks = new Map();
    for (const inode of this.#names.values()) {
      const lost = inode.bytes.length - inode.synced.length;
      inode.bytes = lost <= 0
        ? inode.synced.slice()
        : inode.bytes.slice(0, inode.synced.length + Math.floor(lost * keep));
      inode.synced = inode.bytes;
      inode.modifiedMs = ++this.#modifications;
    }
  }

  /** Writes as an editor or a careless program does: in place, at once durable. */
  edit(path: string, text: string): void {
    const inode = this.#names.get(path) ?? this.#make(path);
    inode.bytes = inode.synced = new TextEncoder().encode(text);
    this.#durableNames.set(path, inode);
    this.#changed(path, inode);
  }

  #make(path: string): Inode {
    if (!this.#directories.has(parentOf(path))) throw missing(path);
    const inode = {
      number: ++this.#inodes,
      bytes: new Uint8Array(),
      synced: new Uint8Array(),
      modifiedMs: ++this.#modifications,
    };
    this.#names.set(path, inode);
    return inode;
  }

  #changed(path: string, inode?: Inode): void {
    if (inode !== undefined) inode.modifiedMs = ++this.#modifications;
    for (const tell of this.#watchers) tell(path);
  }

  #syncDirectory(directory: string): void {
    for (const path of this.#durableNames.keys()) {
      if (parentOf(path) === directory && !this.#names.has(path)) this.#durableNames.delete(path);
    }
    for (const [path, inode] of this.#names) if (parentOf(path) === directory) this.#durableNames.set(path, inode);
  }

  // deno-lint-ignore require-await
  async readText(path: string): Promise<string | null> {
    const inode = this.#names.get(path);
    return inode === undefined ? null : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(inode.bytes);
  }

  // deno-lint-ignore require-await
  async readBytes(path: string): Promise<Uint8Array | null> {
    return this.#names.get(path)?.bytes.slice() ?? null;
  }

  async hash(pieces: readonly Uint8Array[]): Promise<string> {
    const whole = new Uint8Array(pieces.flatMap((piece) => [...piece]));
    return new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
  }

  /** Pieces so small that what is looked for stands across several. */
  async *pieces(path: string, offset: number): AsyncGenerator<Uint8Array> {
    const bytes = await this.readBytes(path);
    if (bytes === null) throw missing(path);
    for (let at = offset; at < bytes.length; at += 7) yield bytes.slice(at, at + 7);
  }

  // deno-lint-ignore require-await
  async stamp(path: string): Promise<FileStamp | null> {
    if (this.#directories.has(path)) return { sizeBytes: 0, modifiedMs: 0, inode: 0, isDirectory: true };
    const inode = this.#names.get(path);
    if (inode === undefined) return null;
    return { sizeBytes: inode.bytes.length, modifiedMs: inode.modifiedMs, inode: inode.number, isDirectory: false };
  }

  // deno-lint-ignore require-await
  async replace(path: string, content: string | readonly Uint8Array[]): Promise<void> {
    const inode = this.#make(path);
    inode.bytes = inode.synced = typeof content === "string"
      ? new TextEncoder().encode(content)
      : new Uint8Array(content.flatMap((piece) => [...piece]));
    this.#syncDirectory(parentOf(path));
    this.#changed(path);
  }

  // deno-lint-ignore require-await
  async openAppend(path: string, { create }: { create: boolean }): Promise<AppendFile | null> {
    const found = this.#names.get(path) ?? null;
    if (found === null && !create) return null;
    const inode = found ?? this.#make(path);
    const set = (bytes: Uint8Array) => {
      inode.bytes = bytes;
      if (inode.synced.length > bytes.length) inode.synced = bytes;
      this.#changed(path, inode);
      return Promise.resolve();
    };
    return {
      size: () => Promise.resolve(inode.bytes.length),
      readFrom: (offset) => Promise.resolve(inode.bytes.slice(offset)),
      append: (bytes) => {
        const joined = new Uint8Array(inode.bytes.length + bytes.length);
        joined.set(inode.bytes);
        joined.set(bytes, inode.bytes.length);
        return set(joined);
      },
      truncate: (sizeBytes) => set(inode.bytes.slice(0, sizeBytes)),
      sync: () => {
        inode.synced = inode.bytes;
        return Promise.resolve();
      },
      close: () => {},
    };
  }

  async lock(path: string, { mode, wait }: { mode: "shared" | "exclusive"; wait: boolean }): Promise<FileLock | null> {
    if (!this.#names.has(path)) this.#make(path);
    const state = this.#locks.get(path) ?? { readers: 0, writer: false, waiting: [] };
    this.#locks.set(path, state);
    const free = (wanted: "shared" | "exclusive") => !state.writer && (wanted === "shared" || state.readers === 0);
    const take = (wanted: "shared" | "exclusive") => wanted === "shared" ? state.readers++ : state.writer = true;
    if (free(mode)) take(mode);
    else if (!wait) return null;
    else await new Promise<void>((go) => state.waiting.push({ mode, go }));
    let held = true;
    return {
      describe: (text) => {
        const inode = this.#names.get(path) ?? this.#make(path);
        inode.bytes = new TextEncoder().encode(text);
        return Promise.resolve();
      },
      release: () => {
        if (!held) return;
        held = false;
        if (mode === "shared") state.readers--;
        else state.writer = false;
        while (state.waiting[0] !== undefined && free(state.waiting[0].mode)) {
          const next = state.waiting.shift()!;
          take(next.mode);
          next.go();
        }
      },
    };
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

  // deno-lint-ignore require-await
  async remove(path: string): Promise<boolean> {
    let found = this.#directories.delete(path);
    for (const name of [...this.#names.keys()]) {
      if (name !== path && !name.startsWith(`${path}/`)) continue;
      found = this.#names.delete(name);
      this.#changed(name);
    }
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

/** Deps on such a file system. Ids count up; programs cannot be started; the clock is the real one. */
export function memoryDeps(files: Files = new MemoryFiles(), options: { pid?: number } = {}): Deps {
  let ids = 0;
  return {
    files,
    clock: {
      now: () => Date.now(),
      sleepUntil: (atMs) => new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - Date.now()))),
    },
    ids: { hex: (bytes) => `${options.pid ?? 1}0${(++ids).toString(16)}`.padStart(bytes * 2, "0").slice(-bytes * 2) },
    processes: {
      spawn() {
        throw new Error("Cannot start programs here");
      },
    },
    environment: {
      get: () => undefined,
      cwd: () => "/home",
      user: () => "pi",
      hostname: () => "manager",
      pid: options.pid ?? 1,
    },
  };
}
