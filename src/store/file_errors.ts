/**
 * How the store reports what the file system refuses, and files that are missing or too large.
 *
 * @module
 */

import { CmsError, NotFoundError, StoreError } from "../errors.ts";
import { codeOf } from "../system_errors.ts";

/** What is said of a queue or cluster that does not exist. */
export function notFound(kind: "queue" | "cluster", shown: string): CmsError {
  return new NotFoundError(kind, shown, `${kind === "queue" ? "Queue" : "Cluster"}: ${shown} does not exist`);
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

/**
 * Makes a {@link StoreError} of an error of the file system: `cannot write: no space left ...`. Passes on all others.
 */
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
