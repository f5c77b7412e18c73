/**
 * `queue reset`: makes jobs ready to be run again. Ends them if they run, removes their directories on the hosts, and
 * only then sets their state.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import { someNames } from "../names/some_names.ts";
import { isGivenUp, type Job, type JobFields } from "../job/job.ts";
import { PROGRAM_OPTIONS } from "../job/options.ts";
import { isInFlight, isWaiting, type JobState, waitingState } from "../job/states.ts";
import type { Connect } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import type { Change } from "../store/changes.ts";
import type { StoreRef } from "../store/store.ts";
import { clearFromHosts } from "./clear_from_hosts.ts";
import { holdQueue } from "./hold_queue.ts";
import type { StatusChange, Watch } from "./refresh_queue.ts";
import { writeFile } from "./write_file.ts";

/** Which jobs. Neither names nor status: all that are not in state `end`. */
export interface ResetRequest {
  readonly queue: StoreRef;
  /** These jobs, whatever their state (or of them those with `status`). */
  readonly names: readonly string[] | null;
  readonly status: JobState | null;
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
    const missing = [...new Set(request.names ?? [])].filter((name) => !store.jobs.has(name as JobName));
    for (const name of missing) watch.warn(`Job ${name} does not exist in queue ${request.queue.name}`);
    const jobs = select(store.jobs, request, runner !== null);
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
        else records.push({ type: "set", job: name, fields: cleanFields(job) });
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
 * The jobs to reset, in file order. Waiting ones have nothing to reset but what an earlier attempt left on a host.
 * While a scheduler runs the queue (`isRun`) that stays, too: it may start them at any moment, and their directory
 * would go with the claim of the new attempt.
 */
function select(
  jobs: ReadonlyMap<JobName, Job>,
  request: ResetRequest,
  isRun: boolean,
): Job[] {
  const names = request.names === null ? null : new Set(request.names);
  const chosen: Job[] = [];
  for (const job of jobs.values()) {
    if (names !== null && !names.has(job.name)) continue;
    if (request.status !== null ? job.status !== request.status : names === null && job.status === "end") continue;
    if (isWaiting(job.status) && (isRun || job.attempt === 0)) continue;
    chosen.push(job);
  }
  return chosen;
}

function cleanFields(job: Job): JobFields {
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
  };
}
