/**
 * Whether a queue is paused: a small file beside it. A run that finds the file starts nothing. The file outlives runs
 * and commands.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { storeError } from "./file_errors.ts";
import type { StorePaths } from "./paths.ts";

/** A pause. What is not known (a file that somebody made by hand) is null. */
export interface QueuePause {
  /** What the person who paused the queue said. */
  readonly reason: string | null;
  /** `user@hostname`. */
  readonly by: string | null;
  /** Since when, ISO 8601. */
  readonly since: string | null;
}

const UNKNOWN: QueuePause = { reason: null, by: null, since: null };

/**
 * The pause of a queue; null if it is not paused. A file that cannot be understood is a pause, too: it was put there to
 * pause.
 */
export async function readPause(deps: Pick<Deps, "files">, paths: StorePaths): Promise<QueuePause | null> {
  let text: string | null;
  try {
    text = await deps.files.readText(paths.pause);
  } catch {
    return UNKNOWN;
  }
  return text === null ? null : parsePause(text);
}

/** Pauses a queue, durably. The caller holds the queue's lock. */
export async function writePause(deps: Deps, paths: StorePaths, pause: QueuePause): Promise<void> {
  try {
    await deps.files.replace(paths.pause, JSON.stringify(pause) + "\n");
  } catch (error) {
    throw storeError(paths.shown, "pause", error);
  }
}

/** Ends a pause, durably. The caller holds the queue's lock. @returns False if there was none. */
export async function removePause(deps: Deps, paths: StorePaths): Promise<boolean> {
  try {
    return await deps.files.remove(paths.pause);
  } catch (error) {
    throw storeError(paths.shown, "resume", error);
  }
}

function parsePause(text: string): QueuePause {
  try {
    const of = JSON.parse(text) as Record<string, unknown> | null;
    if (typeof of !== "object" || of === null) return UNKNOWN;
    const known = (name: keyof QueuePause): string | null => typeof of[name] === "string" ? of[name] as string : null;
    return { reason: known("reason"), by: known("by"), since: known("since") };
  } catch {
    return UNKNOWN;
  }
}
