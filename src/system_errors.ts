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

/** The file that an error of the system is about; null where it names none. */
export function fileOf(error: unknown): string | null {
  if (codeOf(error) === "" || !(error instanceof Error)) return null;
  if ("path" in error && typeof error.path === "string") return error.path;
  return /: \w+ '(\/[^']*)'$/.exec(error.message)?.[1] ?? null;
}
