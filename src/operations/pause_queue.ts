/**
 * Pauses a queue and resumes it. While it is paused no run starts a job; what runs goes on and is followed.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { isoSeconds } from "../job/job.ts";
import { notFound } from "../store/file_errors.ts";
import { locked, stampOf } from "../store/lock.ts";
import { type StorePaths, storePaths } from "../store/paths.ts";
import { type QueuePause, readPause, removePause, writePause } from "../store/queue_pause.ts";
import type { StoreRef } from "../store/store.ts";
import { hasControl, Problems } from "./check.ts";
import { whoIsHere } from "./who.ts";

/** Longest reason that is kept. */
const REASON_LIMIT = 1_000;

/**
 * Pauses a queue. One that is paused already gets the new reason.
 * @returns The pause, and the one before.
 * @throws {InvalidError} If the reason cannot be used. @throws {CmsError} `not_found` if there is no such queue.
 */
export async function pauseQueue(
  deps: Deps,
  { queue, reason }: { queue: StoreRef; reason: string | null },
): Promise<{ pause: QueuePause; before: QueuePause | null }> {
  const problems = new Problems();
  problems.note(hasControl(reason ?? ""), "Cannot use this reason: it holds a control character");
  problems.note(
    (reason ?? "").length > REASON_LIMIT,
    `Cannot use this reason: give at most ${REASON_LIMIT} characters`,
  );
  problems.throwIfAny();
  const { environment, clock } = deps;
  const pause = {
    reason: reason === "" ? null : reason,
    by: whoIsHere(environment),
    since: isoSeconds(clock.epochMs()),
  };
  return await withQueue(deps, queue, async (paths) => {
    const before = await readPause(deps, paths);
    await writePause(deps, paths, pause);
    return { pause, before };
  });
}

/**
 * Resumes a queue.
 * @returns False if it was not paused. @throws {CmsError} `not_found` if there is no such queue.
 */
export async function resumeQueue(deps: Deps, { queue }: { queue: StoreRef }): Promise<{ wasPaused: boolean }> {
  return await withQueue(deps, queue, async (paths) => ({ wasPaused: await removePause(deps, paths) }));
}

/** Calls `body` under the queue's lock, if the queue exists. */
async function withQueue<T>(deps: Deps, queue: StoreRef, body: (paths: StorePaths) => Promise<T>): Promise<T> {
  const paths = storePaths(queue, "queue");
  // Before the lock, which would make a file where there is no queue.
  if (await stampOf(deps, paths) === null) throw notFound("queue", paths.shown);
  return await locked(deps, paths, async () => {
    if (await stampOf(deps, paths) === null) throw notFound("queue", paths.shown);
    return await body(paths);
  });
}
