/**
 * What the system calls its errors.
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
