/**
 * What the system calls its errors, and what people are told of them.
 *
 * @module
 */

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

/** True if the system refuses us the right. */
export function isRefusal(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS"].includes(codeOf(error));
}

/** The file that an error of the system is about; null where it names none. */
export function fileOf(error: unknown): string | null {
  if (codeOf(error) === "" || !(error instanceof Error)) return null;
  if ("path" in error && typeof error.path === "string") return error.path;
  return /: \w+ '(\/[^']*)'$/.exec(error.message)?.[1] ?? null;
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

/** Why the system refused it, in plain words, without its number, the call and the path, which messages have. */
export function plainReason(error: Error): string {
  const known = REASONS[codeOf(error)];
  if (known !== undefined) return known;
  const end = error.message.indexOf(" (os error ");
  return end < 0 ? error.message : error.message.charAt(0).toLowerCase() + error.message.slice(1, end);
}
