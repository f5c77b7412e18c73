/**
 * What must be true when a run, or the whole world, has come to its end.
 *
 * @module
 */

import { isInFlight, isWaiting } from "../job/states.ts";
import { holdOf, lackOf } from "../operations/job_reason.ts";
import type { RunResult } from "../scheduler/report.ts";
import type { AttemptTruth } from "./attempt_truth.ts";
import { mayWaitAtEnd } from "./order_watch.ts";
import type { World } from "./world.ts";

/** What a run names as completed, and not as failed, came to its own end with code 0. */
export function checkCompleted({ truth }: World, { completed, failed }: RunResult): void {
  const bad = new Set<string>(failed.map(({ job }) => job));
  for (const job of completed) {
    if (!bad.has(job) && !truth.hasEndedWell(job)) {
      truth.fail(`job ${job} counts as ended well, and never ended with 0`);
    }
  }
}

/** Nothing waits any more that could have started; `explain` says of what does why, as the run itself does. */
export async function checkNoneWaits(world: World, result: RunResult | null): Promise<void> {
  const jobs = await world.files.read() ?? new Map();
  const view = { jobs, nowMs: world.timeline.nowMs };
  for (const { reason, jobs: left } of result?.left ?? []) {
    for (const job of left.flatMap((name) => jobs.get(name) ?? [])) {
      const said = holdOf(job, view) ?? lackOf(job);
      if (isWaiting(job.status) && !agrees(reason, said)) {
        world.truth.fail(`job ${job.name} is left by the run as "${reason}", and explain says: ${said}`);
      }
    }
  }
  for (const job of jobs.values()) {
    if (isWaiting(job.status) && (holdOf(job, view) ?? lackOf(job)) === null && world.scenario.scheduler !== "fifo") {
      world.truth.fail(`job ${job.name} is left by the run, and explain knows nothing that keeps it`);
    }
    if (isWaiting(job.status) && !mayWaitAtEnd(job, jobs)) {
      world.truth.fail(`job ${job.name} waits at the end of time`);
    }
  }
}

/** True if a run and `explain` mean the same: a run groups the jobs that it leaves by fewer words. */
function agrees(left: string, said: string | null): boolean {
  if (left === "held") return said === "held";
  return left.startsWith("for ") ? said?.startsWith("waits for ") === true : said !== null;
}

/** At the end of time: every job has ended, and its state is true. */
export async function checkEnd(world: World): Promise<void> {
  const { truth } = world;
  if (truth.violation !== null) return;
  await world.files.check();
  const jobs = await world.files.read();
  if (jobs === null) return truth.fail("at the end of time somebody holds the queue");
  await world.files.checkComplete(jobs);
  for (const job of jobs.values()) {
    const attempts = truth.attemptsOf(job.id);
    const last = attempts.find(({ number }) => number === job.attempt);
    const away = (): boolean => {
      const name = world.machineKeyOf(job.user, job.host);
      // One of several machines that stays away may have the job.
      return !world.routes.canReach(name) || [...world.hosts.values()].some((host) => host.name === name && !host.isUp);
    };
    if (job.status === "end" && job.exit_code === 0 && (last?.how !== "exit" || last.code !== 0)) {
      truth.fail(`job ${job.name} is end with code 0 at the end of time, which it did not end with`);
    }
    if (job.status === "kill" && last?.isLimitHit && !last.isKillAsked && !job.reason?.startsWith("time limit ")) {
      truth.fail(`job ${job.name} was ended by its time limit, and its reason is ${job.reason}`);
    }
    if (isInFlight(job.status)) {
      if (!away()) truth.fail(`job ${job.name} is ${job.status} at the end of time`);
    } else if (last?.isAlive && !last.isAbandoned && !last.isGivenUp && !away()) {
      truth.fail(`job ${job.name} is ${job.status} at the end of time, and runs`);
    } else if (job.status === "crash" && last !== undefined && hostKnowsEnd(world, last) && !away()) {
      truth.fail(`job ${job.name} is crash at the end of time, and its host knows that it ended`);
    }
  }
}

/** True if its host, the only one of its name, has the claim and the end of the attempt. */
function hostKnowsEnd({ hosts, rerouted }: World, { id, host, directory }: AttemptTruth): boolean {
  if (host === null || directory === null) return false;
  if (rerouted.includes(host.name) || hosts.get(host.key)?.directories.get(directory.name) !== directory) return false;
  const { log, chain } = directory;
  return log?.attempt === id && log.state === "end" && chain.some(({ attempt }) => attempt === id);
}
