/**
 * Ends jobs and removes their directories on the hosts: what `reset` and `delete` do before they change the queue.
 *
 * @module
 */

import { notKilled } from "./sentences.ts";
import type { Deps } from "../deps.ts";
import { isElsewhere } from "../agent/boot.ts";
import type { JobName } from "../names/grammar.ts";
import { someNames } from "../names/some_names.ts";
import { attemptOf, type AttemptRef } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { earlierJobs, hasPlaces } from "../job/places.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { isLocal, machineText } from "../cluster/machine.ts";
import type { Connect, Link } from "../link/link.ts";
import type { Runner } from "../store/run_status.ts";
import type { QueueStore } from "../store/store.ts";
import { KILL_GRACE_MS } from "../scheduler/deliver.ts";
import { Inputs } from "../scheduler/inputs.ts";
import { endByRunner } from "./hold_queue.ts";
import { forgetSent, mayHaveSent } from "./forget_sent.ts";
import { killHeld } from "./kill_jobs.ts";
import { onMachines } from "./on_machines.ts";

/** What to clear. */
export interface ClearRequest {
  readonly store: QueueStore;
  readonly runner: Runner | null;
  readonly jobs: readonly Job[];
  /** True if they leave the queue: what they have sent goes too. */
  readonly isDeleted?: boolean;
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
 * the queue, it ends the jobs that it follows; the rest is done here over links of our own. A job that is cleared where
 * it was last is cleared where it, or a job that it replaced, was before.
 */
export async function clearFromHosts(deps: Deps, request: ClearRequest): Promise<Uncleared> {
  const { store, runner, jobs, isDeleted = false, connect, warn } = request;
  const gone = new Set(jobs.map(({ name }) => name));
  const { stuck, alive } = await endAll(deps, request);
  const left = new Set([...stuck, ...alive]);
  let touched: Job[] = [];
  // What the hosts know is about to go. A scheduler need not have made its record of the ends durable, which this does;
  // and a disk that is full refuses it now, while nothing is lost. It asks for nothing.
  await store.commit(() => {
    // A job that waits and was never started has nothing anywhere.
    touched = jobs.filter((job) => hasPlaces(job) && !left.has(job.name) && !isBegunAnew(job, store, runner));
    return touched.length > 0 ? [{ type: "kill", jobs: [] }] : [];
  });
  const role = runner === null ? "resident" : "visitor";
  const inputs = new Inputs(deps, store.ref.directory);
  const clear = (jobs: readonly Job[]) =>
    onMachines(deps, { connect, store, role, warn, jobs }, async (link, there) => {
      // What people put into a job's directory stays: here, and on machines that share the manager's.
      const hasInputs = (await inputs.of(there.map((job) => ({ ...job, job: job.name })))).size > 0;
      if (isLocal(link.machine) || hasInputs) await link.share(store.ref.directory);
      const { kept, live } = await removeOn(link, there, request);
      for (const name of kept) alive.add(name);
      // Given up, or its state was lost with the files: what runs is ended whatever the queue says of it. Alive until
      // the host says otherwise.
      for (const { job } of live) alive.add(job);
      for (const name of await endAndRemove(link, live, warn)) alive.delete(name);
      // Beside a scheduler nothing is removed that it may count upon.
      if (isDeleted && runner === null && there.some(mayHaveSent)) await forgetSent(deps, store, link, { gone, warn });
    });
  const unreached = new Set(stuck);
  for (const { name } of await clear(touched.filter((job) => job.attempt > 0))) unreached.add(name);
  const open = touched.filter(({ name }) => !alive.has(name) && !unreached.has(name));
  for (const { name } of await clear(open.flatMap(earlierJobs))) unreached.add(name);
  return { alive: [...alive], unreached: [...unreached] };
}

/** Ends what runs. `stuck`: on hosts that do not answer; `alive`: may still run. */
async function endAll(
  deps: Deps,
  { store, runner, jobs, connect, warn }: ClearRequest,
): Promise<{ stuck: ReadonlySet<JobName>; alive: Set<JobName> }> {
  const running = jobs.filter((job) => isInFlight(job.status)).map((job) => job.name);
  if (runner !== null) {
    const stuck = new Set(await endByRunner(deps, store, running));
    for (const name of stuck) warn(notKilled(name));
    return { stuck, alive: new Set() };
  }
  // What became of them is written down before their claims go with the directories: if we end in between, nobody
  // takes a job that ran for one that never did.
  const { failed, unreached, away } = await killHeld(deps, { store, names: running, connect, warn });
  const stuck = new Set(unreached);
  const alive = new Set(failed.filter((name) => !stuck.has(name)));
  for (const name of alive) if (!away.has(name)) warn(`Job ${name} still runs; its directory was left alone`);
  return { stuck, alive };
}

/** Removes directories on a machine. `kept`: of jobs that may live on another one; `live`: attempts that run there. */
async function removeOn(
  link: Link,
  jobs: readonly Job[],
  { runner, warn }: ClearRequest,
): Promise<{ kept: JobName[]; live: AttemptRef[] }> {
  let attempts = jobs.map(attemptOf);
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
  const isAway = ({ name, boot }: Job): boolean => {
    const result = resultOf.get(name) ?? "removed";
    return result === "away" || (result !== "removed" && isElsewhere(boot, link.boot));
  };
  const kept = jobs.filter(isAway).map(({ name }) => name);
  if (kept.length > 0) {
    const there = machineText(link.machine);
    warn(`May run on another machine than ${there} leads to now: ${someNames(kept)}. Left as they are`);
  }
  return { kept, live: attempts.filter((_, i) => results[i] === "alive") };
}

/** @returns Those that have ended and whose directories are removed. */
async function endAndRemove(link: Link, live: readonly AttemptRef[], warn: (text: string) => void): Promise<JobName[]> {
  if (live.length === 0) return [];
  await link.kill(live, { graceMs: KILL_GRACE_MS });
  const again = await link.remove(live);
  const [still, ended] = [live.filter((_, i) => again[i] === "alive"), live.filter((_, i) => again[i] !== "alive")];
  for (const { job } of still) warn(`Job ${job} still runs; its directory was left alone`);
  return ended.map(({ job }) => job);
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
