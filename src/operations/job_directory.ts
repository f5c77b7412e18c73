/**
 * Keeps what lasts out of what does not.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { InvalidError } from "../errors.ts";
import type { StoreRef } from "../store/store.ts";

/**
 * Refuses a directory that the program has made for a job, or one below it: `reset` and `delete` remove it with all
 * that is in it. It looks at the directories below the working directory, so that a job may keep queues of its own.
 * @throws {InvalidError} That names the directory of the job.
 */
export async function refuseJobDirectory(deps: Deps, ref: StoreRef, kind: "queue" | "cluster"): Promise<void> {
  const top = deps.environment.cwd();
  for (let path = ref.directory; path !== top && path !== ""; path = path.slice(0, path.lastIndexOf("/"))) {
    const mark = await deps.files.stamp(`${path}/.cms`).catch(() => null);
    if (mark !== null && !mark.isDirectory) {
      const job = path.slice(path.lastIndexOf("/") + 1);
      throw new InvalidError([
        `Cannot make a ${kind} in ${ref.experiment}: the directory belongs to job ${job} and goes with it`,
      ]);
    }
    if (!path.startsWith(`${top}/`)) return;
  }
}
