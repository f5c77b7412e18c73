/**
 * Kills jobs where they run and leaves them in the queue, in state `kill`.
 *
 * @module
 */

import { notKilled } from "./sentences.ts";
import type { Deps } from "../deps.ts";
import { attemptId, attemptOf } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { isInFlight } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import type { AttemptState, Connect, Link } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import { KILL_GRACE_MS } from "../scheduler/deliver.ts";
import type { Change } from "../store/changes.ts";
import { openQueue } from "../store/queue_file.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";
import { endByRunner, holdQueue } from "./hold_queue.ts";
import { requireChoice, type Selection, selectJobs } from "./select_jobs.ts";
import { onMachines } from "./on_machines.ts";
import type { Watch } from "./refresh_queue.ts";
import { fieldsFrom, findElsewhere, isUnstarted } from "./truth.ts";
import { writeFile } from "./write_file.ts";

const ROUNDS = 3;

/** What became of the jobs that were to be killed. */
export interface KillResult {
  /** In state `kill` now, and were not before. */
  readonly killed: readonly JobName[];
  /** Not running: nothing was done. */
  readonly idle: readonly JobName[];
  /** Names that are not in the queue. */
  readonly missing: readonly string[];
  /** May still run: their host does not answer. */
  readonly failed: readonly JobName[];
}

/**
 * Kills jobs, by their scheduler if one runs the queue.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export async function killJobs(
  deps: Deps,
  request: { queue: StoreRef; names: readonly string[] },
  watch: Watch,
  connect: Connect = makeConnect(deps),
): Promise<KillResult> {
  const killed: JobName[] = [];
  for (let round = 1;; round++) {
    const { store, runner } = await holdQueue(deps, request.queue);
    try {
      const missing = request.names.filter((name) => !store.jobs.has(name as JobName));
      const jobs = [...new Set(request.names)].flatMap((name) => store.jobs.get(name as JobName) ?? []);
      const names = jobs.filter((job) => isInFlight(job.status)).map((job) => job.name);
      const known = new Set([...names, ...killed]);
      const idle = jobs.map((job) => job.name).filter((name) => !known.has(name));
      if (runner === null) {
        const result = await killHeld(deps, { store, names, connect, warn: watch.warn });
        await writeFile(() => store.endRun("cheap"), watch);
        return { killed: [...killed, ...result.killed], idle, missing, failed: result.failed };
      }
      const failed = await endByRunner(deps, store, names);
      for (const name of names) if (store.jobs.get(name)?.status === "kill") killed.push(name);
      // A scheduler that ends or dies meanwhile leaves them to us.
      if (failed.length > 0 && round < ROUNDS && await store.runner() === null) continue;
      for (const name of failed) watch.warn(notKilled(name));
      return { killed, idle, missing, failed };
    } finally {
      store.close();
    }
  }
}

/**
 * Kills the chosen jobs where they run. Jobs that are chosen and do not run stay as they are. `isDry`: kills none, and
 * says which would be.
 * @throws {InvalidError} If nothing chooses: to kill all jobs must be meant. @throws {CmsError} `not_found` if there is
 * no such queue.
 */
export async function killSelected(
  deps: Deps,
  { queue, selection, isDry = false }: { queue: StoreRef; selection: Selection; isDry?: boolean | undefined },
  watch: Watch,
  connect: Connect = makeConnect(deps),
): Promise<KillResult> {
  requireChoice(selection, queue.name, "kill", "--status=run,start for all that run");
  const store = await openQueue(deps, queue);
  let names: readonly string[];
  let missing: readonly string[];
  try {
    const { chosen, missing: absent } = selectJobs(store.jobs, selection);
    [names, missing] = [chosen.map(({ name }) => name), absent];
    if (isDry) {
      const [killed, idle] = [true, false].map((runs) => chosen.filter(({ status }) => isInFlight(status) === runs));
      return { killed: killed!.map(({ name }) => name), idle: idle!.map(({ name }) => name), missing, failed: [] };
    }
  } finally {
    store.close();
  }
  if (names.length === 0) return { killed: [], idle: [], missing, failed: [] };
  const result = await killJobs(deps, { queue, names }, watch, connect);
  return { ...result, missing: [...missing, ...result.missing] };
}

/** What {@link killHeld} works on. */
export interface KillHeldRequest {
  /** A queue that the caller holds; see `hold_queue.ts`. */
  readonly store: QueueStore;
  /** Jobs in flight. */
  readonly names: readonly JobName[];
  readonly connect: Connect;
  readonly warn: (text: string) => void;
}

/**
 * Kills jobs of a queue that no scheduler runs. A start that never reached its host is called off: the job waits again.
 * The queue stays held, and its file is not written.
 * @returns Those that are in state `kill` now; those that may still run; of these, those whose host does not answer,
 * and those that live on another machine than their host's name leads to now, which was reported.
 */
export async function killHeld(
  deps: Deps,
  { store, names, connect, warn }: KillHeldRequest,
): Promise<{ killed: JobName[]; failed: JobName[]; unreached: JobName[]; away: ReadonlySet<JobName> }> {
  const jobs = names.flatMap((name) => store.jobs.get(name) ?? []);
  const found = new Map<JobName, AttemptState>();
  const away = new Set<JobName>();
  const unreached = await onMachines(deps, { connect, store, role: "resident", warn, jobs }, async (link, there) => {
    const states = await endOn(link, there);
    const elsewhere = findElsewhere(link, there, states, warn);
    for (const { name } of elsewhere) away.add(name);
    there.forEach((job, i) => !elsewhere.has(job) && found.set(job.name, states[i]!));
  });
  const killed: JobName[] = [];
  const failed = new Set([...unreached.map((job) => job.name), ...away]);
  await store.commit(() => {
    const records: Change[] = [];
    for (const before of jobs) {
      const job = store.jobs.get(before.name);
      const state = found.get(before.name);
      if (job === undefined || state === undefined || attemptId(job) !== attemptId(before)) continue;
      const fields = fieldsFrom(job, state);
      if (state.type === "alive" || state.type === "claimed") failed.add(job.name);
      if (fields === null) continue;
      records.push({ type: "set", job: job.name, fields });
      if (fields.status === "kill") killed.push(job.name);
    }
    return records;
  });
  return { killed, failed: [...failed], unreached: unreached.map((job) => job.name), away };
}

/** Ends what runs, and forbids what was not started yet: a start may still be on its way. */
async function endOn(link: Link, jobs: readonly Job[]): Promise<AttemptState[]> {
  const states = await link.kill(jobs.map(attemptOf), { graceMs: KILL_GRACE_MS });
  const unstarted = [...jobs.keys()].filter((i) => isUnstarted(jobs[i]!, states[i]!, link.boot));
  if (unstarted.length === 0) return states;
  const forbidden = await link.forbid(unstarted.map((i) => attemptOf(jobs[i]!)));
  unstarted.forEach((i, k) => states[i] = forbidden[k]!);
  return states;
}
