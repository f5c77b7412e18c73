/**
 * Paths of the manager that are sent: where they are, and what of them is kept over there. Pure.
 *
 * @module
 */

/** A file or directory of the manager, and what of its path is kept over there. */
export interface SentPath {
  /** Absolute. */
  readonly base: string;
  /** Below it. */
  readonly kept: string;
}

/** Where it stands. */
export function sourceOf({ base, kept }: SentPath): string {
  return `${base === "/" ? "" : base}/${kept}`;
}

/**
 * Reads a path as rsync has it: of `DIR/./sub/file` the path `sub/file` is kept, of others their last part.
 * @param from What a relative path is below. @param home What `~` stands for. @returns Null if nothing would be kept.
 */
export function sentPath(path: string, from: string, home: string | null): SentPath | null {
  const own = home !== null && /^~(?:\/|$)/.test(path) ? home + path.slice(1) : path;
  const isAbsolute = own.startsWith("/");
  const plain = (isAbsolute ? own : `${from}/${own}`).replace(/\/+$/, "");
  const mark = plain.indexOf("/./", isAbsolute ? 0 : from.length + 1);
  const slash = plain.lastIndexOf("/");
  const base = plain.slice(0, mark > 0 ? mark : slash) || "/";
  const parts = plain.slice(mark > 0 ? mark + 3 : slash + 1).split("/").filter((part) => part !== "");
  if (parts.length === 0 || parts.some((part) => part === ".." || part === ".")) return null;
  return { base, kept: parts.join("/") };
}

/**
 * What relative paths of jobs are below: the directory in which the experiment directory stands.
 * @param directory The experiment directory, absolute. @param experiment As it was named.
 */
export function sendDirectory(directory: string, experiment: string): string {
  const end = `/${experiment}`;
  return directory.endsWith(end) ? directory.slice(0, -end.length) : directory.slice(0, directory.lastIndexOf("/"));
}
