/**
 * What a scheduler that is made up is asked for.
 *
 * @module
 */

import type { QueueStore } from "../../src/store/store.ts";
import { waitUntil } from "../../testing/wait.ts";

/** Waits until the scheduler is asked to end jobs. */
export function askedToKill(scheduler: QueueStore): Promise<boolean> {
  return waitUntil("the request to kill", async () => (await scheduler.sync()).kill.length > 0);
}
