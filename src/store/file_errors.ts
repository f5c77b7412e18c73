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
/** No job is added beyond this: those that are there get longer as they run. */
export const MOST_PUT_BYTES = 450_000_000;

/** A queue file that is too large to be read, or would be. */
export function tooLarge(shown: string, what: string): StoreError {
  const most = MOST_YAML_BYTES / 1e6;
  return new StoreError(shown, 0, `${what} larger than ${most} MB, the most that can be read: use several queues`);
}

/** Jobs for which a queue has no more room. */
export function tooManyJobs(shown: string): StoreError {
  const most = MOST_PUT_BYTES / 1e6;
  const reason = `the queue would become larger than ${most} MB, the most to which jobs are added: use several queues`;
  return new StoreError(shown, 0, reason);
}
