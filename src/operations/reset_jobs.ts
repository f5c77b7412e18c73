/**
 * `queue reset`: makes jobs ready to be run again. Ends them if they run, removes their directories on the hosts, and
 * only then sets their state.
 *
 * @module
 */

import { noSuchJob } from "./sentences.ts";
import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import { someNames } from "../names/some_names.ts";
import { dependenceOf, dependenciesOf, hasDependencies, isDependent } from "../job/dependencies.ts";
import { isGivenUp, type Job, type JobFields } from "../job/job.ts";
import { PROGRAM_OPTIONS } from "../job/options.ts";
import { hasPlaces, replacedBy } from "../job/places.ts";
import { isInFlight, isWaiting, waitingState } from "../job/states.ts";
import type { Connect } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import type { Change, Jobs } from "../store/changes.ts";
import { openQueue } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";
import { clearFromHosts } from "./clear_from_hosts.ts";
import { holdQueue } from "./hold_queue.ts";
import type { StatusChange, Watch } from "./refresh_queue.ts";
import { isAll, type Selection, selectJobs } from "./select_jobs.ts";
import { writeFile } from "./write_file.ts";

/** Which jobs. */
export interface ResetRequest {
  readonly queue: StoreRef;
  /** Of all jobs, those that are not in state `end`. */
  readonly selection: Selection;
  /** Also all jobs that come after these, whatever their state. */
  readonly cascade?: boolean | undefined;
}

/**
 * Resets jobs.
 * @returns What changed, in file order; the jobs that may still run on a host that cannot be asked: they stay as they
 * are; and names that the queue does not have.
 */
export async function resetJobs(
  deps: Deps,
  request: ResetRequest,
  watch: Watch,
  connect: Connect = makeConnect(deps),
): Promise<{ changes: StatusChange[]; failed: JobName[]; missing: string[] }> {
  const { store, runner } = await holdQueue(deps, request.queue);
  try {
    const { jobs, missing } = toReset(store.jobs, request, runner !== null);
    for (const name of missing) watch.warn(noSuchJob(request.queue, name));
    const before = new Map(jobs.map((job) => [job.name, job]));
    const left = await clearFromHosts(deps, { store, runner, jobs, connect, warn: watch.warn });
    // A job that may still run must not be started again. One that has ended may, though its directory could not be
    // removed.
    const failed = new Set([...left.alive, ...left.unreached.filter((name) => isInFlight(before.get(name)!.status))]);
    const silent = left.unreached.filter((name) => isGivenUp(before.get(name)!) && !failed.has(name));
    if (silent.length > 0) {
      const where = "may still run on a host that does not answer";
      watch.warn(`Given up earlier, and ${where}: ${someNames(silent)}. A run will start them again`);
    }
    const changes: StatusChange[] = [];
    await store.commit(() => {
      const records: Change[] = [];
      for (const { name, status, id } of jobs) {
        const job = store.jobs.get(name);
        if (job === undefined || job.id !== id || failed.has(name)) continue;
        // With a scheduler at work the job may have been started since: then it is no longer the one that was cleared.
        if (runner !== null && isInFlight(job.status)) failed.add(name);
        else records.push({ type: "set", job: name, fields: cleanFields(job, left.unreached.includes(name)) });
        if (!failed.has(name) && status !== waitingState(job)) {
          changes.push({ job: name, old: status, new: waitingState(job) });
        }
      }
      return records;
    });
    await writeFile(() => store.endRun("cheap"), watch);
    return { changes, failed: [...failed], missing };
  } finally {
    store.close();
  }
}

/**
 * What {@link resetJobs} would reset, in file order, and names that the queue does not have; nothing is changed.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export async function jobsToReset(deps: Deps, request: ResetRequest): Promise<{ jobs: Job[]; missing: string[] }> {
  const store = await openQueue(deps, request.queue);
  try {
    return toReset(store.jobs, request, await store.runner() !== null);
  } finally {
    store.close();
  }
}

/** `isRun`: a scheduler runs the queue. */
function toReset(jobs: Jobs, request: ResetRequest, isRun: boolean): { jobs: Job[]; missing: string[] } {
  const { chosen, missing } = chooseForReset(jobs, request.selection);
  // One that waits for its next try gets all of them anew.
  const isTried = ({ history }: Job): boolean => (history ?? []).length > 0;
  const isNothing = (job: Job): boolean => isWaiting(job.status) && ((isRun && !isTried(job)) || !hasPlaces(job));
  const all = withDependents(jobs, chosen, request.cascade === true);
  return { jobs: all.filter((job) => !isNothing(job)), missing };
}

/**
 * The jobs that are asked for, in file order, and names that the queue does not have. Waiting ones among them have
 * nothing to reset but what an earlier attempt left on a host. While a scheduler runs the queue that stays, too: it
 * may start them at any moment, and their directory would go with the claim of the new attempt.
 */
export function chooseForReset(jobs: Jobs, selection: Selection): { chosen: Job[]; missing: string[] } {
  const { chosen, missing } = selectJobs(jobs, selection);
  const isOpen = ({ status }: Job): boolean => !isAll(selection) || status !== "end";
  return { chosen: chosen.filter(isOpen), missing: [...new Set(missing)] };
}

/**
 * These jobs and those that come after them, in file order. Without `cascade` only those that never started because of
 * them, directly or through others, and could start now.
 */
function withDependents(jobs: ReadonlyMap<JobName, Job>, chosen: readonly Job[], cascade: boolean): Job[] {
  const children = new Map<JobName, Job[]>();
  for (const job of jobs.values()) {
    if (!hasDependencies(job) || (!cascade && !isDependent(job))) continue;
    for (const parent of dependenciesOf(job)) {
      const known = children.get(parent);
      if (known === undefined) children.set(parent, [job]);
      else known.push(job);
    }
  }
  if (children.size === 0) return [...chosen];
  const all = new Set(chosen.map(({ name }) => name));
  // As it will be.
  const view = {
    get(name: JobName): Job | undefined {
      const job = jobs.get(name);
      return job !== undefined && all.has(name) ? { ...job, status: waitingState(job) } : job;
    },
  };
  const open = [...all];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const child of children.get(name) ?? []) {
      if (all.has(child.name) || (!cascade && dependenceOf(child, view).type === "never")) continue;
      all.add(child.name);
      open.push(child.name);
    }
  }
  return [...jobs.values()].filter(({ name }) => all.has(name));
}

/** `isLeft`: what it has left on a host that does not answer stays its own. */
function cleanFields(job: Job, isLeft: boolean): JobFields {
  return {
    status: waitingState(job),
    pid: null,
    exit_code: null,
    started: null,
    ended: null,
    boot: null,
    slot: null,
    ...(job.job_directory === null ? {} : { job_directory: null }),
    ...Object.fromEntries(PROGRAM_OPTIONS.filter((name) => (job[name] ?? null) !== null).map((name) => [name, null])),
    ...(isLeft ? { replaced: replacedBy(job) } : {}),
  };
}
