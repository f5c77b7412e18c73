/**
 * Where the files of a queue or cluster stand, how they are named in messages, and how a failing file system is told.
 *
 * @module
 */

import { CmsError, NotFoundError, StoreError } from "../errors.ts";
import type { Deps, FileLock, FileStamp } from "../deps.ts";
import type { StoreRef } from "./store.ts";

/** The files of one queue or cluster. A cluster has no journal and no run. */
export interface StorePaths {
  /** The YAML file. */
  readonly file: string;
  /** What happened since the YAML was written. */
  readonly journal: string;
  /** Held by writers. */
  readonly lock: string;
  /** Held for the life of a scheduler. */
  readonly run: string;
  /** What a scheduler in the background prints. */
  readonly log: string;
  /** The YAML file as messages name it. */
  readonly shown: string;
  /** The journal, likewise. */
  readonly shownJournal: string;
}

/** Paths of a queue or cluster. The default experiment shows as `./experiment`, others as they were given. */
export function storePaths(ref: StoreRef, kind: "queue" | "cluster"): StorePaths {
  const shownDirectory = ref.experiment === "experiment" ? "./experiment" : ref.experiment;
  const base = `${ref.name}-${kind}`;
  return {
    file: `${ref.directory}/${base}.yaml`,
    journal: `${ref.directory}/.${base}.journal`,
    lock: `${ref.directory}/.${base}.lock`,
    run: `${ref.directory}/.${base}.run`,
    log: `${ref.directory}/.${base}.log`,
    shown: `${shownDirectory}/${base}.yaml`,
    shownJournal: `${shownDirectory}/.${base}.journal`,
  };
}

/** What is said of a queue or cluster that does not exist. */
export function notFound(kind: "queue" | "cluster", shown: string): CmsError {
  return new NotFoundError(kind, shown, `${kind === "queue" ? "Queue" : "Cluster"}: ${shown} does not exist`);
}

/** Errors of Linux that Deno gives no code, only their number. */
const NUMBERED: Readonly<Record<string, string>> = {
  27: "EFBIG",
  37: "ENOLCK",
  38: "ENOSYS",
  95: "ENOTSUP",
  122: "EDQUOT",
};

/** The system's code of an error, such as `ENOENT`, or `""`. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return NUMBERED[/\(os error ([0-9]+)\)/.exec(error.message)?.[1] ?? ""] ?? "";
}

/** True if the file system refuses us the right. */
export function isRefusal(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS", "EBADF"].includes(codeOf(error));
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EBADF: "permission denied",
  EROFS: "the file system is read-only",
  EFBIG: "the file would be larger than this process may make one (ulimit -f)",
  EMFILE: "too many open files (ulimit -n)",
  ENFILE: "too many open files on this machine",
  ENOLCK: "the file system has no locks",
  ENOSYS: "the file system has no locks (flock)",
  ENOTSUP: "the file system has no locks (flock)",
  EIO: "the disk reports an error",
  EILSEQ: "it is not UTF-8 text",
  EISDIR: "it is a directory",
  EEXIST: "there is a file of that name",
  ENOTDIR: "a part of the path is a file, and no directory",
  ELOOP: "too many links lead to it",
  ENAMETOOLONG: "the name is too long",
};

/** Makes a {@link StoreError} of an error of the file system: `cannot write: no space left ...`. Passes on all others. */
export function storeError(shown: string, tried: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CmsError || codeOf(error) === "") return error;
  return new StoreError(shown, 0, `cannot ${tried}: ${REASONS[codeOf(error)] ?? plainReason(error.message)}`, {
    cause: error,
  });
}

/** The system's words without its number, the call and the path, which the message has already. */
function plainReason(message: string): string {
  const end = message.indexOf(" (os error ");
  return end < 0 ? message : message.charAt(0).toLowerCase() + message.slice(1, end);
}

/** Does `body` while holding the lock of a queue or cluster. Whoever only reads takes none. */
export async function locked<T>(deps: Deps, paths: StorePaths, body: (lock: FileLock) => Promise<T>): Promise<T> {
  let lock: FileLock | null;
  try {
    lock = await deps.files.lock(paths.lock, { mode: "exclusive", wait: true });
  } catch (error) {
    throw storeError(paths.shown, "lock", error);
  }
  if (lock === null) throw new RangeError("A lock that is waited for was not given");
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

/** A larger file cannot be held as one text. It is room for about a million jobs. */
export const MOST_YAML_BYTES = 500_000_000;

/** A queue file that is too large to be read. */
export function tooLarge(shown: string, what: string): StoreError {
  return new StoreError(
    shown,
    0,
    `${what} larger than ${MOST_YAML_BYTES / 1e6} MB, the most that can be read: use several queues`,
  );
}

/** The text of a queue's YAML file and its hash, or why there is none that can be read. */
export async function readYaml(deps: Deps, paths: StorePaths): Promise<{ text: string; hash: string } | CmsError> {
  try {
    const bytes = await deps.files.readBytes(paths.file);
    if (bytes === null) return notFound("queue", paths.shown);
    if (bytes.length > MOST_YAML_BYTES) return tooLarge(paths.shown, "it is");
    const text = decoded(bytes);
    return text === null
      ? new StoreError(paths.shown, 0, `cannot read: ${REASONS.EILSEQ}`)
      : { text, hash: await deps.files.hash([bytes]) };
  } catch (cause) {
    const error = storeError(paths.shown, "read", cause);
    if (error instanceof CmsError) return error;
    throw error;
  }
}

/** null if the bytes are no UTF-8: taking them anyway would put U+FFFD there, and the next write would make that lasting. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Names of the queues or clusters of a directory, sorted; empty if there are none or no such directory.
 */
export async function listNames(deps: Deps, directory: string, kind: "queue" | "cluster"): Promise<string[]> {
  const ending = `-${kind}.yaml`;
  const names = await deps.files.list(directory) ?? [];
  return names.filter((name) => name.endsWith(ending) && /^[A-Za-z0-9_]/.test(name)).map((name) =>
    name.slice(0, -ending.length)
  ).filter((name) => name !== "" && !name.endsWith(ending)).sort();
}
