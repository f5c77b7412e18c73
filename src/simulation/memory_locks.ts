/**
 * The locks of a file system in memory: many readers or one writer, who come first served first.
 *
 * @module
 */

import type { FileLock } from "../deps.ts";

/** For whom a lock is. */
export type LockMode = "shared" | "exclusive";

interface LockState {
  readers: number;
  writer: boolean;
  waiting: { mode: LockMode; go: () => void }[];
}

/** How a lock is taken. `describe`: writes into its file. */
export interface LockWish {
  readonly mode: LockMode;
  readonly wait: boolean;
  readonly describe: (text: string) => void;
}

/** All locks, by path. */
export class MemoryLocks {
  readonly #locks = new Map<string, LockState>();

  /** Takes a lock; null if somebody has it and nobody is to wait. */
  async take(path: string, { mode, wait, describe }: LockWish): Promise<FileLock | null> {
    const state = this.#locks.get(path) ?? { readers: 0, writer: false, waiting: [] };
    this.#locks.set(path, state);
    const free = (wanted: LockMode) => !state.writer && (wanted === "shared" || state.readers === 0);
    const take = (wanted: LockMode) => wanted === "shared" ? state.readers++ : state.writer = true;
    if (free(mode)) take(mode);
    else if (!wait) return null;
    else await new Promise<void>((go) => state.waiting.push({ mode, go }));
    let held = true;
    return {
      describe: (text) => {
        describe(text);
        return Promise.resolve();
      },
      release: () => {
        if (!held) return;
        held = false;
        if (mode === "shared") state.readers--;
        else state.writer = false;
        while (state.waiting[0] !== undefined && free(state.waiting[0].mode)) {
          const next = state.waiting.shift()!;
          take(next.mode);
          next.go();
        }
      },
    };
  }
}
