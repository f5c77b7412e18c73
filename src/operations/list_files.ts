/**
 * The queues and clusters of an experiment.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { listNames } from "../store/queue_file.ts";

/** Names of the queues or clusters of a directory, sorted; null if there is no such directory. */
export async function listFiles(
  deps: Deps,
  request: { directory: string; kind: "queue" | "cluster" },
): Promise<string[] | null> {
  if ((await deps.files.stamp(request.directory))?.isDirectory !== true) return null;
  return await listNames(deps, request.directory, request.kind);
}
