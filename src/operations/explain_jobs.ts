/**
 * Why jobs do not run: what holds them, and how each host stands.
 *
 * @module
 */

import { isSlurm } from "../cluster/slurm_entry.ts";
import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { machineText } from "../cluster/machine.ts";
import { machineOf } from "../cluster/host.ts";
import { type Job, placeOf } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import { readCluster } from "../store/cluster_file.ts";
import { storePaths } from "../store/paths.ts";
import { readPause } from "../store/queue_pause.ts";
import { readLastRun } from "../store/run_claim.ts";
import type { RunAbout } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";
import type { Jobs } from "../store/changes.ts";
import { jobsAround, requireJob } from "./list_jobs.ts";
import { reasonOf } from "./job_reason.ts";
import { type QueueSum, queueSum } from "./queue_sum.ts";

/** How a host stands to jobs that wait. */
export interface HostStand {
  readonly host: string;
  readonly stand: string;
}

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
  const cluster = run?.about.cluster ?? null;
  const hosts = view.isRun ? await hostStands(deps, { queue, cluster, about: run!.about, inFlight }) : [];
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

async function hostStands(
  deps: Deps,
  { queue, cluster, about: { machines, allocations = [] }, inFlight }: {
    queue: StoreRef;
    cluster: string | null;
    about: RunAbout;
    inFlight: readonly Job[];
  },
): Promise<HostStand[]> {
  const busy = new Map<string, number>();
  for (const job of inFlight) count(busy, job);
  const isDown = (machine: string): boolean => machines[machine] === "down";
  if (cluster === null) {
    return Object.keys(machines).map((machine) => ({
      host: machine,
      stand: isDown(machine) ? "does not answer" : `runs ${busy.get(machine) ?? 0} jobs`,
    }));
  }
  const all = await readCluster(deps, { ...queue, name: cluster }).catch((error) => {
    if (error instanceof CmsError) return new Map<never, never>();
    throw error;
  });
  return [...all].map(([id, host]): HostStand => {
    const machine = machineText(machineOf(host));
    const slots = host.max_jobs_allowed;
    const used = busy.get(`slot ${id}`) ?? 0;
    if (host.status !== "active") return { host: id, stand: host.status === "paused" ? "paused" : "inactive" };
    if (isSlurm(host)) return { host: id, stand: allocationsText(allocations.find(({ entry }) => entry === id)) };
    if (isDown(machine)) return { host: id, stand: `does not answer (${machine})` };
    return { host: id, stand: used >= slots ? `full (${used} of ${slots})` : `free (${used} of ${slots} in use)` };
  });
}

/** How the allocations of an entry stand: `2 allocations run, 1 is pending (Resources)`. */
function allocationsText(stand: NonNullable<RunAbout["allocations"]>[number] | undefined): string {
  const { running, pending, reason } = stand ?? { running: 0, pending: 0, reason: null };
  if (running + pending === 0) return `no allocation${reason === null ? ", none is asked for" : `: ${reason}`}`;
  const runs = `${running} allocation${running === 1 ? " runs" : "s run"}`;
  if (pending === 0) return runs;
  return `${runs}, ${pending} pending${reason === null ? "" : ` (${reason})`}`;
}

function count(busy: Map<string, number>, job: Job): void {
  const machine = placeOf(job) ?? "";
  for (const key of [machine, `slot ${job.slot}`]) busy.set(key, (busy.get(key) ?? 0) + 1);
}
