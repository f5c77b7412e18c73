/**
 * The real {@link Files}, for Linux and macOS. With `deps_real.ts` and `main.ts` the only place that names `Deno.*`
 * effects.
 *
 * Errors of the system are passed on as they come; all have a `code` such as `ENOENT`.
 *
 * Calls that a local file system answers in microseconds (stat, open, append, a free lock, a small file) are made in
 * place: by way of a thread each would cost some fifty of them, and a scheduler makes a dozen for each start. What
 * waits for a disk or for somebody else is asynchronous.
 *
 * @module
 */

import type { AppendFile, FileLock, Files, FileStamp } from "./deps.ts";
import { receive } from "./receive_real.ts";
import { lengthOf } from "./bytes.ts";
import { SmallSyncs } from "./sync_real.ts";
import { codeOf, isRefusal } from "./system_errors.ts";

const syncs = new SmallSyncs(() => performance.now());

/** The value, or null where the path (or a directory on the way) does not exist. */
async function unlessMissing<T>(value: Promise<T>): Promise<T | null> {
  try {
    return await value;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return null;
    throw error;
  }
}

/** The directory of a path. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? (slash === 0 ? "/" : ".") : path.slice(0, slash);
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Random bytes as lower-case hex. */
export function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}

function writeAllNow(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

/** As {@link unlessMissing}, in place. */
function nowUnlessMissing<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return null;
    throw error;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/** Makes the entries of a directory durable. Some network file systems cannot; there a rename is all one gets. */
async function syncDirectory(path: string): Promise<void> {
  using directory = Deno.openSync(path, { read: true });
  try {
    await syncs.sync(directory);
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP", "EBADF", "EACCES", "EPERM"].includes(codeOf(error))) throw error;
  }
}

/** What a path means after its last part was followed through symbolic links; the end need not exist. */
function followLinks(path: string): string {
  let target = path;
  for (let i = 0; i < 40; i++) {
    const info = nowUnlessMissing(() => Deno.lstatSync(target));
    if (info === null || !info.isSymlink) return target;
    const next = Deno.readLinkSync(target);
    target = next.startsWith("/") ? next : `${parentOf(target)}/${next}`;
  }
  throw Object.assign(new Error(`Too many symbolic links: '${path}'`), { code: "ELOOP" });
}

function stampOf(info: Deno.FileInfo): FileStamp {
  return {
    sizeBytes: info.size,
    modifiedMs: info.mtime?.getTime() ?? 0,
    inode: info.ino ?? 0,
    isDirectory: info.isDirectory,
    ...(info.mode === null ? {} : { mode: info.mode & 0o7777 }),
    ...(info.isFile || info.isDirectory ? {} : { isSpecial: true }),
  };
}

function appendFile(file: Deno.FsFile): AppendFile {
  const sizeNow = () => file.statSync().size;
  return {
    // deno-lint-ignore require-await
    size: async () => sizeNow(),
    // deno-lint-ignore require-await
    stamp: async () => stampOf(file.statSync()),
    async readFrom(offset, most = Infinity) {
      const bytes = new Uint8Array(Math.min(most, Math.max(0, sizeNow() - offset)));
      file.seekSync(offset, Deno.SeekMode.Start);
      let done = 0;
      while (done < bytes.length) {
        const rest = bytes.subarray(done);
        const read = rest.length <= SMALL_BYTES ? file.readSync(rest) : await file.read(rest);
        if (read === null) break;
        done += read;
      }
      return bytes.subarray(0, done);
    },
    // deno-lint-ignore require-await
    append: async (bytes) => writeAllNow(file, bytes),
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    sync: () => syncs.sync(file),
    close: () => file.close(),
  };
}

function heldLock(file: Deno.FsFile): FileLock {
  let held = true;
  return {
    // deno-lint-ignore require-await
    async describe(text) {
      file.truncateSync(0);
      file.seekSync(0, Deno.SeekMode.Start);
      writeAllNow(file, new TextEncoder().encode(text));
    },
    release() {
      // A process that another thread is just beginning has the open file too, so that closing it is not enough.
      if (held) file.unlockSync(), file.close();
      held = false;
    },
  };
}

/** A reader must be able to share a lock in a directory that it may not write; flock needs no right to write. */
function openLockFile(path: string, mode: "shared" | "exclusive"): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true, write: true, create: true });
  } catch (error) {
    if (mode === "exclusive" || !isRefusal(error)) throw error;
    return Deno.openSync(path, { read: true });
  }
}

/** Up to so many are read in place. */
const SMALL_BYTES = 64 * 1024;
/**
 * Of a file that is read in pieces: enough that the calls do not count, and little that it stays in the processor's
 * cache.
 */
const PIECE_BYTES = 1024 * 1024;

/** The real {@link Files}. */
export const files: Files = {
  async readBytes(path) {
    const size = nowUnlessMissing(() => Deno.statSync(path))?.size ?? 0;
    return size <= SMALL_BYTES
      ? nowUnlessMissing(() => Deno.readFileSync(path))
      : await unlessMissing(Deno.readFile(path));
  },

  async hash(pieces) {
    if ("length" in pieces && pieces.length === 1) {
      return new Uint8Array(await crypto.subtle.digest("SHA-256", pieces[0] as BufferSource)).toHex();
    }
    // The other way would need all of them in one place once more. Loaded only here: a short command ends before this
    // has begun.
    const { createHash } = await import("node:crypto");
    const hash = createHash("sha256");
    for await (const piece of pieces) hash.update(piece);
    return hash.digest("hex");
  },

  async *pieces(path, offset) {
    using file = await Deno.open(path, { read: true });
    file.seekSync(offset, Deno.SeekMode.Start);
    const piece = new Uint8Array(PIECE_BYTES);
    for (let read = await file.read(piece); read !== null; read = await file.read(piece)) yield piece.subarray(0, read);
  },

  async readText(path) {
    const bytes = await files.readBytes(path);
    if (bytes === null) return null;
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      // Decoding it anyway would put U+FFFD where the bytes were, and the next write would make that lasting.
      throw Object.assign(new Error("is not UTF-8 text", { cause }), { code: "EILSEQ" });
    }
  },

  // deno-lint-ignore require-await
  async stamp(path): Promise<FileStamp | null> {
    const info = nowUnlessMissing(() => Deno.statSync(path));
    return info === null ? null : stampOf(info);
  },

  async replace(path, content, mayReplace = () => Promise.resolve(true)) {
    const target = followLinks(path);
    const old = nowUnlessMissing(() => Deno.statSync(target));
    const mode = old === null || old.mode === null ? null : old.mode & 0o7777;
    const temporary = `${parentOf(target)}/.${baseOf(target)}.${randomHex(8)}.tmp`;
    // Never more open than the file that it replaces.
    const options = { write: true, createNew: true, ...(mode === null ? {} : { mode }) };
    const file = Deno.openSync(temporary, options);
    try {
      try {
        const pieces = typeof content === "string" ? [new TextEncoder().encode(content)] : content;
        const isSmall = lengthOf(pieces) <= SMALL_BYTES;
        for (const piece of pieces) isSmall ? writeAllNow(file, piece) : await writeAll(file, piece);
        if (mode !== null) Deno.chmodSync(temporary, mode);
        await keepOwner(temporary, old);
        await (isSmall ? syncs.sync(file) : file.sync());
      } finally {
        file.close();
      }
      if (!await mayReplace()) return Deno.removeSync(temporary), false;
      Deno.renameSync(temporary, target);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
    await syncDirectory(parentOf(target));
    return true;
  },

  syncDirectory,

  receive,

  // deno-lint-ignore require-await
  async openAppend(path, { create }) {
    const file = nowUnlessMissing(() => {
      try {
        return Deno.openSync(path, { read: true, append: true, create });
      } catch (error) {
        if (create || !isRefusal(error)) throw error;
        // Who may only read gets a file whose append fails.
        return Deno.openSync(path, { read: true });
      }
    });
    if (file === null && create) throw Object.assign(new Error(`No such directory: '${path}'`), { code: "ENOENT" });
    return file === null ? null : appendFile(file);
  },

  async lock(path, { mode, wait }) {
    const file = openLockFile(path, mode);
    try {
      if (file.tryLockSync(mode === "exclusive")) return heldLock(file);
      if (wait) {
        await file.lock(mode === "exclusive");
        return heldLock(file);
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
    return null;
  },

  async makeDirectory(path) {
    if (nowUnlessMissing(() => Deno.statSync(path))?.isDirectory === true) return;
    const parent = parentOf(path);
    if (parent !== path) await files.makeDirectory(parent);
    Deno.mkdirSync(path, { recursive: true });
    await syncDirectory(parent);
  },

  // Not in place: who looks at hundreds of directories lets others have their turn between two.
  async list(path) {
    const entries = await unlessMissing(Array.fromAsync(Deno.readDir(path)));
    return entries?.map((entry) => entry.name).sort() ?? null;
  },

  async remove(path) {
    // A directory in a file's place was not made by this program.
    const info = nowUnlessMissing(() => Deno.lstatSync(path));
    if (info?.isDirectory) throw Object.assign(new Error(`Is a directory: '${path}'`), { code: "EISDIR" });
    // To free the blocks of a large file takes a while.
    const isSmall = (info?.size ?? 0) <= PIECE_BYTES;
    const removed = () => isSmall ? nowUnlessMissing(() => Deno.removeSync(path)) : unlessMissing(Deno.remove(path));
    if (info === null || await removed() === null) return false;
    await syncDirectory(parentOf(path));
    return true;
  },

  // deno-lint-ignore require-await
  realPath: async (path) => Deno.realPathSync(path),

  async *watch(directory, signal) {
    if (signal.aborted) return;
    const watcher = Deno.watchFs(directory, { recursive: false });
    const stop = () => watcher.close();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for await (const event of watcher) {
        // Reading a file is not a change of it.
        if (event.kind === "access") continue;
        for (const path of new Set(event.paths)) yield baseOf(path);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      if (!signal.aborted) watcher.close();
    }
  },
};

/** Where root changes a file of somebody else, it stays theirs. Nobody but root may, so that failing is no fault. */
async function keepOwner(path: string, old: Deno.FileInfo | null): Promise<void> {
  if (old !== null && old.uid !== Deno.uid()) await Deno.chown(path, old.uid, old.gid).catch(() => {});
}
