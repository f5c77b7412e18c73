/**
 * Why jobs do not run: what holds them, and how each host stands.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import type { Host } from "../cluster/host.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import { readClusters } from "../store/cluster_file.ts";
import { storePaths } from "../store/paths.ts";
import { readPause } from "../store/queue_pause.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { StoreRef } from "../store/store.ts";
import type { Jobs } from "../store/changes.ts";
import { type HostStand, hostStands, machineStands, type StandsView } from "./host_stands.ts";
import { jobsAround, requireJob } from "./list_jobs.ts";
import { reasonOf } from "./job_reason.ts";
import { type QueueSum, queueSum } from "./queue_sum.ts";

/** Why jobs do not run. */
export interface Explanation {
  /** The job that was asked about, with its reason; null if all were. */
  readonly job: { readonly name: JobName; readonly reason: string } | null;
  /** Reasons of all waiting jobs, with how many have each, most first; empty if one job was asked about. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
  /** Hosts of the run, or of its last one. */
  readonly hosts: readonly HostStand[];
}

/** Explains. @throws {CmsError} `not_found` if there is no such queue or job. */
export async function explainJobs(
  deps: Deps,
  request: { queue: StoreRef; job?: string | undefined },
): Promise<Explanation> {
  const { queue } = request;
  const { job: asked, inFlight, sum } = request.job === undefined
    ? await sumOf(deps, queue)
    : await jobOf(deps, queue, request.job);
  const paths = storePaths(queue, "queue");
  const run = await readLastRun(deps, paths);
  const view = {
    nowMs: deps.clock.epochMs(),
    isRun: run?.isRunning === true,
    pause: await readPause(deps, paths),
  };
  const hosts = run?.isRunning === true
    ? await standsOf(deps, queue, { ...run, cluster: run.about.cluster, inFlight, ...view }, asked?.job ?? null)
    : [];
  if (asked !== null) {
    const { job, jobs } = asked;
    return {
      job: { name: job.name, reason: reasonOf(job, { ...view, jobs }) },
      reasons: [],
      hosts: isWaiting(job.status) ? hosts : [],
    };
  }
  const reasons = [...sum!.reasons(view)].map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  return { job: null, reasons, hosts: reasons.length === 0 ? [] : hosts };
}

/** What is known of the queue as far as it is asked about. */
interface Asked {
  readonly job: { readonly job: Job; readonly jobs: Jobs } | null;
  readonly sum: QueueSum | null;
  readonly inFlight: readonly Job[];
}

async function sumOf(deps: Deps, queue: StoreRef): Promise<Asked> {
  const sum = await queueSum(deps, queue);
  return { job: null, sum, inFlight: sum.inFlight };
}

async function jobOf(deps: Deps, queue: StoreRef, name: string): Promise<Asked> {
  const jobs = await jobsAround(deps, queue, name, { neededBy: false });
  const job = requireJob(jobs, name, queue);
  return { job: { job, jobs }, sum: null, inFlight: [...jobs.values()].filter(({ status }) => isInFlight(status)) };
}

async function standsOf(
  deps: Deps,
  queue: StoreRef,
  { cluster, ...view }: StandsView & { cluster: string | null },
  job: Job | null,
): Promise<HostStand[]> {
  if (cluster === null) return machineStands(view);
  const hosts = await readClusters(deps, { ...queue, name: cluster }).catch((error) => {
    if (error instanceof CmsError) return new Map<never, Host>();
    throw error;
  });
  return hostStands([...hosts.values()], view, job);
}
