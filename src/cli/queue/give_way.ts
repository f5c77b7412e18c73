/**
 * Who only looks at a large queue that runs lets the run go first: many who look at once take a processor from it, if
 * nothing else.
 *
 * @module
 */

import type { Deps } from "../../deps.ts";
import { storePaths } from "../../store/paths.ts";
import { readRunner } from "../../store/run_claim.ts";
import type { StoreRef } from "../../store/store.ts";

/** Reading less is over before it counts. */
const LARGE_YAML_BYTES = 4 * 1024 * 1024;

/** Takes a lower priority, if the queue is large and runs. */
export async function giveWay(deps: Deps, queue: StoreRef): Promise<void> {
  if (deps.giveWay === undefined) return;
  const paths = storePaths(queue, "queue");
  const stamp = await deps.files.stamp(paths.file).catch(() => null);
  if (stamp === null || stamp.sizeBytes < LARGE_YAML_BYTES) return;
  if (await readRunner(deps, paths).catch(() => null) !== null) await deps.giveWay();
}
