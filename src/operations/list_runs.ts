/**
 * The queues below a directory that have been run, and whether they run now.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { storePaths } from "../store/paths.ts";
import { openQueue } from "../store/queue_file.ts";
import type { LastRun } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import { findQueues } from "./find_queues.ts";

/** A queue and its last run. */
export interface QueueRun {
  readonly queue: StoreRef;
  readonly run: LastRun;
}

/**
 * All queues of all experiments below `root` that a scheduler has run. A queue that cannot be read is reported and left
 * out.
 * @param root An absolute directory.
 */
export async function listRuns(
  deps: Deps,
  request: { root: string },
  watch: { warn(text: string): void },
): Promise<QueueRun[]> {
  const runs: QueueRun[] = [];
  for (const ref of await findQueues(deps, request.root)) {
    try {
      // Opening a queue reads all of it: only those that have the file of a run.
      if (await deps.files.stamp(storePaths(ref, "queue").run) === null) continue;
      const store = await openQueue(deps, ref);
      try {
        const run = await store.lastRun();
        if (run !== null) runs.push({ queue: ref, run });
      } finally {
        store.close();
      }
    } catch (error) {
      watch.warn((error as Error).message);
    }
  }
  return runs;
}
