/**
 * Deletes a queue: ends its jobs, removes their directories on the hosts, then its files.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import type { Connect } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import { removeQueue } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";
import { clearFromHosts } from "./clear_from_hosts.ts";
import { holdQueue } from "./hold_queue.ts";
import type { Watch } from "./refresh_queue.ts";

/**
 * Deletes a queue. What a host that cannot be reached still has stays there, with a warning.
 * @returns The jobs whose directories may still be on their hosts.
 * @throws {CmsError} `not_found` if there is no such queue; `conflict` if a scheduler runs it or a job cannot be ended: the
 * queue stays then.
 */
export async function deleteQueue(
  deps: Deps,
  request: { queue: StoreRef },
  watch: Watch,
  connect: Connect = makeConnect(deps),
): Promise<{ left: Job[] }> {
  const { name } = request.queue;
  const { store, runner } = await holdQueue(deps, request.queue);
  try {
    if (runner !== null) {
      throw new CmsError(
        "conflict",
        `Cannot delete queue ${name}: process ${runner.pid} on ${runner.hostname} runs it`,
      );
    }
    const jobs = [...store.jobs.values()];
    const { alive, unreached } = await clearFromHosts(deps, { store, runner, jobs, connect, warn: watch.warn });
    if (alive.length > 0) {
      throw new CmsError("conflict", `Cannot delete queue ${name}: still running: ${alive.slice(0, 20).join(", ")}`);
    }
    const left = new Set<string>(unreached);
    await removeQueue(deps, request.queue);
    return { left: jobs.filter((job) => left.has(job.name)) };
  } finally {
    store.close();
  }
}
