/**
 * The files below a directory that is served, where jobs of the service itself may put anything: a fifo, a device, a
 * file without end, a link to elsewhere. Only regular files of bounded size are read, and nothing outside the directory
 * is reached, by whatever links.
 *
 * A path is resolved first, and the kind of file at its end looked at. It is then opened by its resolved name, without
 * waiting as for the other end of a fifo, and has to be the file that was looked at: whatever took its place in between
 * is refused.
 *
 * @module
 */

import type { Files } from "./deps.ts";
import { joined, lengthOf } from "./bytes.ts";
import { codeOf } from "./system_errors.ts";
import { files, parentOf } from "./files_real.ts";

/** Most bytes of a file that is read: some 700,000 jobs. */
const FILE_BYTES = 256 * 1024 * 1024;
/** Up to so many are read in place. */
const SMALL_BYTES = 64 * 1024;
const PIECE_BYTES = 1024 * 1024;
/** Up to so many are hashed in place: less than the way through a thread takes where many ask. */
const HASHED_BYTES = 1024 * 1024;
/** How often a file is looked at again that was replaced between the look and the opening. */
const TRIES = 20;

/** Loaded here alone: a first import of any module of Node sets up all of Node, and short commands never come here. */
let node: typeof import("node:fs");
let nodeCrypto: typeof import("node:crypto");

/** {@link Files} that reach nothing but what is below `root`, an absolute path without links. */
export async function servedFiles(root: string): Promise<Files> {
  [node, nodeCrypto] = [await import("node:fs"), await import("node:crypto")];
  const at = (path: string) => resolved(path, root);
  return {
    ...files,
    // deno-lint-ignore require-await
    async readBytes(path) {
      return readSettled(at(path));
    },
    async readText(path) {
      const bytes = await readSettled(at(path));
      if (bytes === null) return null;
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch (cause) {
        throw Object.assign(new Error("is not UTF-8 text", { cause }), { code: "EILSEQ", path });
      }
    },
    async *pieces(path, offset) {
      const opened = openRegular(at(path));
      if (opened === null) throw refusal("ENOENT", path, "no such file");
      try {
        const piece = new Uint8Array(PIECE_BYTES);
        for (let from = offset; from < opened.size;) {
          const done = await readAt(opened.fd, piece, from);
          if (done === 0) return;
          yield piece.subarray(0, done);
          from += done;
        }
      } finally {
        node.close(opened.fd);
      }
    },
    async stamp(path) {
      const stamp = await files.stamp(at(path));
      if (stamp !== null && !stamp.isDirectory) regularInfo(at(path), Infinity);
      return stamp;
    },
    // deno-lint-ignore require-await
    async hash(pieces) {
      if (!("length" in pieces) || lengthOf(pieces) > HASHED_BYTES) return files.hash(pieces);
      return nodeCrypto.hash("sha256", joined(pieces));
    },
    replace: (path, ...rest) => files.replace(regularAt(at(path)), ...rest),
    // Opened for reading and writing, which does not wait for the other end of a fifo.
    openAppend: (path, options) => files.openAppend(regularAt(at(path)), options),
    lock: (path, options) => files.lock(regularAt(at(path)), options),
    makeDirectory: (path) => files.makeDirectory(at(path)),
    list: (path) => files.list(at(path)),
    async *watch(directory, signal) {
      yield* files.watch(at(directory), signal);
    },
  };
}

/** With its file, as those who pass it on do not know which it was. */
function refusal(code: string, path: string, message: string): Error {
  return Object.assign(new Error(message), { code, path });
}

function realOf(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return null;
    throw error;
  }
}

function lstat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return null;
    throw error;
  }
}

/** The path without links. What does not exist yet stands in a directory that does. */
function resolved(path: string, root: string): string {
  let real = realOf(path);
  let missing = "";
  for (let upper = path; real === null && upper !== root && upper !== "/";) {
    // A link to what does not exist: nothing is made there.
    if (lstat(upper)?.isSymlink) throw refusal("EXDEV", path, "it is a link to nothing");
    missing = upper.slice(upper.lastIndexOf("/")) + missing;
    upper = parentOf(upper);
    real = realOf(upper);
  }
  if (real !== null && real !== root && !real.startsWith(root === "/" ? root : `${root}/`)) {
    throw refusal("EXDEV", path, "it is a link out of the directory that is served");
  }
  return real === null ? path : (real === "/" ? "" : real) + missing;
}

/** The same path, if a regular file or nothing is there. */
function regularAt(path: string): string {
  regularInfo(path);
  return path;
}

function regularInfo(path: string, most = FILE_BYTES): Deno.FileInfo | null {
  const info = lstat(path);
  if (info === null) return null;
  if (!info.isFile) throw refusal("EFTYPE", path, "it is no regular file");
  if (info.size > most) {
    const bound = `${FILE_BYTES / 1024 / 1024} MiB`;
    throw refusal("EOVERFLOW", path, `it is larger than ${bound}, the most that is served: split it, or use commands`);
  }
  return info;
}

function openRegular(path: string): { fd: number; size: number } | null {
  for (let i = 0; i < TRIES; i++) {
    const seen = regularInfo(path);
    if (seen === null) return null;
    let fd: number;
    try {
      fd = node.openSync(path, node.constants.O_RDONLY | node.constants.O_NONBLOCK | node.constants.O_NOFOLLOW);
    } catch (error) {
      // Gone meanwhile, or a link by now: the next look sees which.
      if (["ENOENT", "ELOOP"].includes(codeOf(error))) continue;
      throw error;
    }
    const { ino, dev, size } = node.fstatSync(fd);
    if (ino === seen.ino && dev === seen.dev) return { fd, size };
    // Most often by a program that has just written it anew.
    node.close(fd);
  }
  throw refusal("EBUSY", path, "it is replaced all the time");
}

async function readSettled(path: string): Promise<Uint8Array | null> {
  const opened = openRegular(path);
  if (opened === null) return null;
  try {
    const bytes = new Uint8Array(Math.min(opened.size, FILE_BYTES));
    let done = 0;
    while (done < bytes.length) {
      const got = await readAt(opened.fd, bytes.subarray(done), done);
      if (got === 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  } finally {
    node.close(opened.fd);
  }
}

async function readAt(fd: number, into: Uint8Array, position: number): Promise<number> {
  if (into.length <= SMALL_BYTES) return node.readSync(fd, into, 0, into.length, position);
  return await new Promise((resolve, reject) => {
    node.read(fd, into, 0, into.length, position, (error, got) => error === null ? resolve(got) : reject(error));
  });
}
