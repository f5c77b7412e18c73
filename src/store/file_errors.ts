/**
 * How the store reports what the file system refuses, and files that are missing or too large.
 *
 * @module
 */

import { CmsError, NotFoundError, StoreError } from "../errors.ts";
import { codeOf, plainReason } from "../system_errors.ts";

/** What is said of a queue or cluster that does not exist. */
export function notFound(kind: "queue" | "cluster", shown: string): CmsError {
  return new NotFoundError(kind, shown, `${kind === "queue" ? "Queue" : "Cluster"}: ${shown} does not exist`);
}

/**
 * Makes a {@link StoreError} of an error of the file system: `cannot write: no space left ...`. Passes on all others.
 */
export function storeError(shown: string, tried: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CmsError || codeOf(error) === "") return error;
  return new StoreError(shown, 0, `cannot ${tried}: ${plainReason(error)}`, {
    cause: error,
  });
}

/** A larger file cannot be held as one text, and is not written. It is room for about a million jobs that have run. */
export const MOST_YAML_BYTES = 500_000_000;

/** Bytes of new jobs for which a queue file of this size has room: those that are there get longer as they run. */
export function roomForJobs(yamlBytes: number): number {
  return MOST_YAML_BYTES - yamlBytes * 9 / 8;
}

/** A queue file that is too large to be read, or would be. */
export function tooLarge(shown: string, what: string): StoreError {
  const most = MOST_YAML_BYTES / 1e6;
  return new StoreError(shown, 0, `${what} larger than ${most} MB, the most that can be read: use several queues`);
}
