/**
 * `queue delete`: ends jobs if they run, removes their directories on the hosts, and takes them out of the queue.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { Connect } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import type { Change } from "../store/changes.ts";
import type { StoreRef } from "../store/store.ts";
import { clearFromHosts } from "./clear_from_hosts.ts";
import { holdQueue } from "./hold_queue.ts";
import type { Watch } from "./refresh_queue.ts";

/** How often a job is ended again that a scheduler started in the middle of our work. */
const ROUNDS = 3;

/**
 * Deletes jobs. One on a host that cannot be reached is deleted all the same, with a warning (SEED, "Deleting a Job").
 * @returns What was deleted, names that are not in the queue, and jobs that still run and were kept.
 */
export async function deleteJobs(
  deps: Deps,
  request: { queue: StoreRef; names: readonly string[] },
  watch: Watch,
  connect: Connect = makeConnect(deps),
): Promise<{ deleted: JobName[]; missing: string[]; failed: JobName[] }> {
  const { store, runner } = await holdQueue(deps, request.queue);
  try {
    const missing = request.names.filter((name) => !store.jobs.has(name as JobName));
    let jobs: Job[] = present(store.jobs, request.names);
    const deleted = new Set<JobName>();
    const alive = new Set<JobName>();
    if (runner !== null) {
      // First those that wait: the slot of one that is ended must not go to one that is about to be deleted.
      await store.commit(() => {
        const waiting = jobs.filter(({ name }) => isWaiting(store.jobs.get(name)?.status ?? "end"));
        for (const { name } of waiting) deleted.add(name);
        return waiting.map(({ name }): Change => ({ type: "delete", job: name }));
      });
      jobs = jobs.map((job) => store.jobs.get(job.name) ?? job); // Some may have been started meanwhile.
    }
    for (let round = 0; round < ROUNDS && jobs.length > 0; round++) {
      const left = await clearFromHosts(deps, { store, runner, jobs, connect, warn: watch.warn });
      for (const name of left.alive) alive.add(name);
      const unreached = new Set(left.unreached);
      const again: JobName[] = [];
      await store.commit(() => {
        const records: Change[] = [];
        for (const { name, id } of jobs) {
          const job = store.jobs.get(name);
          // Another job may have been added under the name since.
          if (job === undefined || job.id !== id || alive.has(name)) continue;
          if (runner !== null && isInFlight(job.status) && !unreached.has(name)) again.push(name);
          else {
            records.push({ type: "delete", job: name });
            deleted.add(name);
          }
        }
        return records;
      });
      jobs = present(store.jobs, again);
    }
    if (runner === null) await store.fold("cheap");
    const failed = [...alive].filter((name) => !deleted.has(name));
    return {
      deleted: request.names.filter((name): name is JobName => deleted.has(name as JobName)),
      missing,
      failed: [...failed, ...jobs.map((job) => job.name)],
    };
  } finally {
    store.close();
  }
}

function present(jobs: ReadonlyMap<JobName, Job>, names: readonly string[]): Job[] {
  return names.map((name) => jobs.get(name as JobName)).filter((job) => job !== undefined);
}
