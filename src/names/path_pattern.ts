/**
 * Patterns of files below a directory, as a shell has them: `*.csv`, `out`, `run-?/best.json`.
 *
 * @module
 */

/** Why this cannot be a pattern, in one line; null if it can. */
export function patternProblem(pattern: string): string | null {
  if (pattern === "" || pattern.length > 1000) return "give a pattern such as *.csv";
  if (/\p{C}/u.test(pattern)) return "it holds a control character";
  if (pattern.startsWith("/") || pattern.startsWith("~")) {
    return "give a path below the job's directory, not an absolute one";
  }
  return pattern.split("/").includes("..") ? "give a path below the job's directory, without .." : null;
}

/** True if a path that another machine has named can be used below a directory here. */
export function isSafePath(path: string): boolean {
  if (path === "" || path.length > 4000 || path.startsWith("/") || /[\p{C}\ufffd]/u.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && part.length <= 255);
}

/** Why a path of the manager cannot be sent, in one line; null if it can. */
export function sendProblem(path: string): string | null {
  if (path === "" || path.length > 4000 || path.includes("\0")) return "give a file or directory of the manager";
  const kept = path.includes("/./")
    ? path.slice(path.indexOf("/./") + 3)
    : path.replace(/\/+$/, "").replace(/^.*\//s, "");
  const parts = kept.split("/").filter((part) => part !== "");
  if (parts.length > 0 && parts.every((part) => part !== ".." && part !== ".")) return null;
  return "name a file or directory, without .. behind ./";
}
