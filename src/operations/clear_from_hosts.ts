/**
 * Ends jobs and removes their directories on the hosts: what `reset` and `delete` do before they change the queue.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { isElsewhere } from "../agent/boot.ts";
import type { JobName } from "../names/grammar.ts";
import { someNames } from "../names/some_names.ts";
import { attemptOf, type Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { AttemptRef } from "../agent/protocol.ts";
import { isLocal, machineText } from "../cluster/machine.ts";
import type { Connect, Link } from "../link/link.ts";
import type { Runner } from "../store/run_status.ts";
import type { QueueStore } from "../store/store.ts";
import { KILL_GRACE_MS } from "../scheduler/deliver.ts";
import { Inputs } from "../scheduler/inputs.ts";
import { endByRunner } from "./hold_queue.ts";
import { killHeld } from "./kill_jobs.ts";
import { onMachines } from "./on_machines.ts";

/** What to clear. */
export interface ClearRequest {
  readonly store: QueueStore;
  readonly runner: Runner | null;
  readonly jobs: readonly Job[];
  readonly connect: Connect;
  readonly warn: (text: string) => void;
}

/** What could not be cleared. `alive`: still runs. `unreached`: on a machine that does not answer. */
export interface Uncleared {
  readonly alive: readonly JobName[];
  readonly unreached: readonly JobName[];
}

/**
 * Ends those of the jobs that run, and removes the directories of all that were ever started. While a scheduler runs
 * the queue, it ends the jobs that it follows; the rest is done here over links of our own.
 */
export async function clearFromHosts(deps: Deps, request: ClearRequest): Promise<Uncleared> {
  const { store, runner, jobs, connect, warn } = request;
  const running = jobs.filter((job) => isInFlight(job.status)).map((job) => job.name);
  const alive = new Set<JobName>();
  let stuck: ReadonlySet<JobName>;
  if (runner !== null) {
    stuck = new Set(await endByRunner(deps, store, running));
    for (const name of stuck) warn(`Job ${name} could not be killed: its host does not answer`);
  } else {
    // What became of them is written down before their claims go with the directories: if we end in between, nobody
    // takes a job that ran for one that never did.
    const { failed, unreached, away } = await killHeld(deps, { store, names: running, connect, warn });
    stuck = new Set(unreached);
    for (const name of failed) if (!stuck.has(name)) alive.add(name);
    for (const name of alive) if (!away.has(name)) warn(`Job ${name} still runs; its directory was left alone`);
  }
  const left = new Set([...stuck, ...alive]);
  let touched: Job[] = [];
  // What the hosts know is about to go. A scheduler need not have made its record of the ends durable, which this does;
  // and a disk that is full refuses it now, while nothing is lost. It asks for nothing.
  await store.commit(() => {
    // A job that waits and was never started has nothing anywhere.
    touched = jobs.filter((job) => job.attempt > 0 && !left.has(job.name) && !isBegunAnew(job, store, runner));
    return touched.length > 0 ? [{ type: "kill", jobs: [] }] : [];
  });
  const role = runner === null ? "resident" : "visitor";
  const inputs = new Inputs(deps, store.ref.directory);
  const unreached = await onMachines(deps, { connect, store, role, warn, jobs: touched }, async (link, there) => {
    let attempts = there.map(attemptOf);
    // What people put into a job's directory stays: here, and on machines that share the manager's.
    const { directory } = store.ref;
    if (isLocal(link.machine) || (await inputs.of(there.map((job) => job.name))).size > 0) await link.share(directory);
    let results = await link.remove(attempts);
    if (runner === null && results.includes("later")) {
      // Nobody starts anything of this queue now: its file says less than was done, as when an old copy was put back.
      attempts = await laterOnes(link, attempts.filter((_, i) => results[i] !== "removed"));
      results = await link.remove(attempts);
      attempts.filter((_, i) => results[i] === "later").forEach(({ job }) =>
        warn(`Another job ${job} was started in the directory on ${machineText(link.machine)}, which was left alone`)
      );
    }
    // Its name leads to another machine now. That one can kill nothing there, and may know nothing of it.
    const resultOf = new Map(attempts.map(({ job }, i) => [job, results[i]]));
    const away = there.filter(({ name, boot }) => {
      const result = resultOf.get(name) ?? "removed";
      return result === "away" || (result !== "removed" && isElsewhere(boot, link.boot));
    });
    for (const { name } of away) alive.add(name);
    if (away.length > 0) {
      warn(
        `May run on another machine than ${machineText(link.machine)} leads to now: ${
          someNames(away.map(({ name }) => name))
        }. ` +
          "Left as they are",
      );
    }
    const live = attempts.filter((_, i) => results[i] === "alive");
    if (live.length === 0) return;
    // Given up, or its state was lost with the files: what runs is ended whatever the queue says of it. Alive until the
    // host says otherwise.
    for (const { job } of live) alive.add(job);
    await link.kill(live, { graceMs: KILL_GRACE_MS });
    const again = await link.remove(live);
    live.forEach(({ job }, i) => {
      if (again[i] !== "alive") return void alive.delete(job);
      warn(`Job ${job} still runs; its directory was left alone`);
    });
  });
  return { alive: [...alive], unreached: [...stuck, ...unreached.map((job) => job.name)] };
}

/** Each attempt, or the last one that its host knows to have come after it. */
async function laterOnes(link: Link, attempts: readonly AttemptRef[]): Promise<AttemptRef[]> {
  const states = await link.ask(attempts);
  return attempts.map((one, i) => {
    const state = states[i]!;
    return state.type === "other" ? { job: one.job, attempt: state.attempt } : one;
  });
}

/**
 * With a scheduler at work a job that was to be cleared may wait again, or have been started again: its directory is in
 * use.
 */
function isBegunAnew(job: Job, store: QueueStore, runner: Runner | null): boolean {
  const now = store.jobs.get(job.name);
  if (runner === null || now === undefined || now.id !== job.id) return false;
  return now.attempt !== job.attempt || isWaiting(now.status) || isInFlight(now.status);
}
