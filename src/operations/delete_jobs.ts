/**
 * `queue delete`: ends jobs if they run, removes their directories on the hosts, and takes them out of the queue.
 *
 * @module
 */

import { notKilled } from "./sentences.ts";
import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import { isGivenUp, type Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { Connect } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import { dependenciesOf, hasDependencies } from "../job/dependencies.ts";
import { someNames } from "../names/some_names.ts";
import type { Change, Jobs } from "../store/changes.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";
import { clearFromHosts } from "./clear_from_hosts.ts";
import { endByRunner, holdQueue } from "./hold_queue.ts";
import type { Watch } from "./refresh_queue.ts";
import { inAskedOrder, requireChoice, type Selection, selectJobs } from "./select_jobs.ts";
import { writeFile } from "./write_file.ts";

/**
 * How often a job is ended again that a scheduler started in the middle of our work, or left as it was when it went.
 */
const ROUNDS = 3;

/** Which jobs. */
export interface DeleteRequest {
  readonly queue: StoreRef;
  readonly selection: Selection;
  /** Jobs that may still run on a host that does not answer are deleted, too: nothing but the queue forgets them. */
  readonly force?: boolean | undefined;
}

/**
 * Deletes jobs. One that may still run on a host that does not answer is kept, unless `force` is given. One that is
 * over is deleted, though its directory stays there, with a warning. A choice must be given.
 * @returns What was deleted, names that are not in the queue, and jobs that run or may still run and were kept.
 */
export async function deleteJobs(
  deps: Deps,
  request: DeleteRequest,
  watch: Watch,
  connect: Connect = makeConnect(deps),
): Promise<{ deleted: JobName[]; missing: string[]; failed: JobName[] }> {
  requireChoice(request.selection, request.queue.name, "delete", "--failed");
  let { store, runner } = await holdQueue(deps, request.queue);
  try {
    const { chosen, missing } = selectJobs(store.jobs, request.selection);
    const order = inAskedOrder(chosen, request.selection);
    let jobs = order.map((name) => store.jobs.get(name)!);
    const deleted = new Set<JobName>();
    const alive = new Set<JobName>();
    for (let round = 0; round < ROUNDS && jobs.length > 0; round++) {
      let silent: ReadonlySet<JobName> = new Set();
      if (runner !== null) {
        // First those that wait: the slot of one that is ended must not go to one that is about to be deleted.
        jobs = await deleteWaiting(store, jobs, deleted);
        const inFlight = jobs.filter(({ status }) => isInFlight(status)).map(({ name }) => name);
        silent = new Set(await endByRunner(deps, store, inFlight));
        if (silent.size > 0 && (await store.runner())?.run !== runner.run) {
          // It ended or died meanwhile: they are left to us, or to the next one.
          store.close();
          ({ store, runner } = await holdQueue(deps, request.queue));
          jobs = asNow(store.jobs, jobs);
          continue;
        }
        for (const name of silent) watch.warn(notKilled(name));
      }
      const reached = asNow(store.jobs, jobs).filter(({ name }) => !silent.has(name));
      const left = await clearFromHosts(deps, {
        ...{ store, runner, jobs: reached, isDeleted: true },
        ...{ connect, warn: watch.warn },
      });
      for (const name of left.alive) alive.add(name);
      const unknown = asNow(store.jobs, jobs).filter(({ name }) => silent.has(name) || left.unreached.includes(name));
      const unsure = unknown.filter((job) => isInFlight(job.status) || isGivenUp(job));
      if (request.force !== true) { for (const { name } of unsure) alive.add(name); }
      else {for (const job of unsure) {
          watch.warn(`Job ${job.name} may still run on ${placeOf(job)}: only its entry was deleted`);
        }}
      const isBegun = ({ name, status }: Job) => runner !== null && isInFlight(status) && !silent.has(name);
      jobs = await deleteEntries(store, jobs, { isKept: (job) => alive.has(job.name), isBegun, deleted });
    }
    await writeFile(() => store.endRun("cheap"), watch);
    warnOfChildren(store.jobs, deleted, watch);
    const failed = [...alive].filter((name) => !deleted.has(name));
    return {
      deleted: order.filter((name) => deleted.has(name)),
      missing,
      failed: [...failed, ...jobs.map((job) => job.name).filter((name) => !deleted.has(name))],
    };
  } finally {
    store.close();
  }
}

function placeOf({ user, host }: Job): string {
  return `${user ?? ""}@${host}`;
}

/** Deletes the entries of the jobs that wait; adds them to `deleted`. @returns All jobs as they are now. */
async function deleteWaiting(store: QueueStore, jobs: readonly Job[], deleted: Set<JobName>): Promise<Job[]> {
  let now: Job[] = [];
  await store.commit(() => {
    now = asNow(store.jobs, jobs); // Some may have been started meanwhile.
    const waiting = now.filter(({ name, status }) => store.jobs.has(name) && isWaiting(status));
    for (const { name } of waiting) deleted.add(name);
    return waiting.map(({ name }): Change => ({ type: "delete", job: name }));
  });
  return now;
}

/** Deletes the entries of the jobs that are over; adds them to `deleted`. @returns Those that were begun anew. */
async function deleteEntries(
  store: QueueStore,
  jobs: readonly Job[],
  { isKept, isBegun, deleted }: {
    isKept: (job: Job) => boolean;
    isBegun: (job: Job) => boolean;
    deleted: Set<JobName>;
  },
): Promise<Job[]> {
  let again: Job[] = [];
  await store.commit(() => {
    const there = asNow(store.jobs, jobs).filter((job) => store.jobs.has(job.name) && !isKept(job));
    again = there.filter(isBegun);
    const over = there.filter((job) => !isBegun(job));
    for (const { name } of over) deleted.add(name);
    return over.map(({ name }): Change => ({ type: "delete", job: name }));
  });
  return again;
}

/**
 * The same jobs as they are now. One that is not in the queue any more stays as it was, as its directory may still be
 * there; one whose name another job has is left out.
 */
function asNow(now: ReadonlyMap<JobName, Job>, jobs: readonly Job[]): Job[] {
  return jobs.flatMap((job) => {
    const present = now.get(job.name) ?? job;
    return present.id === job.id ? present : [];
  });
}

/** Jobs that come after what was deleted will wait for ever. */
function warnOfChildren(jobs: Jobs, deleted: ReadonlySet<JobName>, watch: Watch): void {
  if (deleted.size === 0) return;
  const children = [...jobs.values()].filter((job) =>
    isWaiting(job.status) && hasDependencies(job) && dependenciesOf(job).some((name) => deleted.has(name))
  ).map(({ name }) => name);
  if (children.length > 0) {
    watch.warn(`They come after jobs that are deleted now, and will not start: ${someNames(children)}`);
  }
}
