/**
 * For commands that change what runs: either no scheduler runs the queue and none can begin meanwhile, or one does and
 * is asked to end jobs.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import { isInFlight } from "../job/states.ts";
import { openQueue } from "../store/queue_file.ts";
import type { Runner } from "../store/run_status.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";

/** How long another command that holds the queue is waited for. */
const OTHER_LIMIT_MS = 5_000;
/** How long a scheduler may take to end jobs that it was asked to end. */
const END_LIMIT_MS = 30_000;
const LOOK_MS = 50;

/** A queue, held: `runner` is the scheduler that has it, or null if it is ours until `store.close()`. */
export interface HeldQueue {
  readonly store: QueueStore;
  readonly runner: Runner | null;
}

/**
 * Opens a queue and takes the right to run it, if no scheduler has it. Another command that has it is waited for, some
 * seconds at most. The caller closes the store.
 */
export async function holdQueue(deps: Deps, ref: StoreRef): Promise<HeldQueue> {
  const store = await openQueue(deps, ref);
  try {
    const limitAtMs = deps.clock.now() + OTHER_LIMIT_MS;
    let runner = await store.claimRun(deps.ids.hex(4));
    while (runner !== null && runner.about === undefined && deps.clock.now() < limitAtMs) {
      await deps.clock.sleepUntil(deps.clock.now() + LOOK_MS);
      runner = await store.claimRun(deps.ids.hex(4));
    }
    await store.sync(); // What a scheduler did between opening and claiming.
    return { store, runner };
  } catch (error) {
    store.close();
    throw error;
  }
}

/**
 * Asks the scheduler that runs the queue to end these jobs, and waits until it has.
 * @returns Those that are still in flight after the limit (their host does not answer).
 */
export async function endByRunner(deps: Deps, store: QueueStore, names: readonly JobName[]): Promise<JobName[]> {
  // One that gets the name of a job meanwhile is not meant.
  const ids = new Map(names.map((name) => [name, store.jobs.get(name)?.id]));
  const inFlight = (): JobName[] =>
    names.filter((name) => {
      const job = store.jobs.get(name);
      return job !== undefined && job.id === ids.get(name) && isInFlight(job.status);
    });
  if (inFlight().length === 0) return [];
  await store.commit(() => [{ type: "kill", jobs: inFlight() }]);
  const limitAtMs = deps.clock.now() + END_LIMIT_MS;
  while (inFlight().length > 0 && deps.clock.now() < limitAtMs && (await store.runner()) !== null) {
    await deps.clock.sleepUntil(deps.clock.now() + LOOK_MS);
    await store.sync();
  }
  return inFlight();
}
