/**
 * Deps on a file system in memory, see `src/simulation/memory_files.ts`.
 *
 * @module
 */

import type { Deps, Files } from "../src/deps.ts";
import { MemoryFiles } from "../src/simulation/memory_files.ts";

export { MemoryFiles };

/** Deps on such a file system. Ids count up; programs cannot be started; the clock is the real one. */
export function memoryDeps(files: Files = new MemoryFiles(), options: { pid?: number } = {}): Deps {
  let ids = 0;
  return {
    files,
    clock: {
      now: () => Date.now(),
      epochMs: () => Date.now(),
      sleepUntil: (atMs) => new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - Date.now()))),
    },
    ids: { hex: (bytes) => `${options.pid ?? 1}0${(++ids).toString(16)}`.padStart(bytes * 2, "0").slice(-bytes * 2) },
    processes: {
      spawn() {
        throw new Error("Cannot start programs here");
      },
    },
    environment: {
      get: () => undefined,
      cwd: () => "/home",
      user: () => "pi",
      hostname: () => "manager",
      pid: options.pid ?? 1,
    },
  };
}
