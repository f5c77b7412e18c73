/**
 * Makes an empty queue.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { createQueue as createQueueFile } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";
import { refuseJobDirectory } from "./job_directory.ts";

/**
 * Makes the queue and its directory; one that exists is checked and left as it is.
 * @throws {CmsError} `invalid` in the directory of a job.
 * @throws {StoreError} If the file cannot be made, or an existing one cannot be read.
 */
export async function createQueue(deps: Deps, request: { queue: StoreRef }): Promise<{ created: boolean }> {
  await refuseJobDirectory(deps, request.queue, "queue");
  return { created: await createQueueFile(deps, request.queue) };
}
