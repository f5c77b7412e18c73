/**
 * Deletes a queue: ends its jobs, removes their directories on the hosts, then its files.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { isGivenUp, type Job } from "../job/job.ts";
import { isInFlight } from "../job/states.ts";
import { someNames } from "../names/some_names.ts";
import type { Connect } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import { removeQueue } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";
import { clearFromHosts } from "./clear_from_hosts.ts";
import { holdQueue } from "./hold_queue.ts";
import { runsAlready } from "./process_state.ts";
import type { Watch } from "./refresh_queue.ts";

/**
 * Deletes a queue. What a host that cannot be reached still has stays there, with a warning. `force`: also jobs that
 * may still run there.
 * @returns The jobs whose directories may still be on their hosts.
 * @throws {CmsError} `not_found` if there is no such queue; `conflict` if a scheduler runs it or a job cannot be ended,
 * `host` if a host with jobs that may still run does not answer: the queue stays then.
 */
export async function deleteQueue(
  deps: Deps,
  request: { queue: StoreRef; force?: boolean | undefined },
  watch: Watch,
  connect: Connect = makeConnect(deps),
): Promise<{ left: Job[] }> {
  const { name } = request.queue;
  const { store, runner } = await holdQueue(deps, request.queue);
  try {
    if (runner !== null) throw await runsAlready(deps, "delete", request.queue, runner);
    const jobs = [...store.jobs.values()];
    const { warn } = watch;
    const { alive, unreached } = await clearFromHosts(deps, { store, runner, jobs, isDeleted: true, connect, warn });
    if (alive.length > 0) {
      throw new CmsError("conflict", `Cannot delete queue ${name}: still running: ${alive.slice(0, 20).join(", ")}`);
    }
    const left = new Set<string>(unreached);
    const unknown = jobs.filter((job) => left.has(job.name) && (isInFlight(job.status) || isGivenUp(job)));
    if (unknown.length > 0 && request.force !== true) {
      const names = someNames(unknown.map((job) => job.name));
      throw new CmsError(
        "host",
        `Cannot delete queue ${name}: on hosts that do not answer there may still run ${names}`,
      );
    }
    await removeQueue(deps, request.queue);
    return { left: jobs.filter((job) => left.has(job.name)) };
  } finally {
    store.close();
  }
}
