/**
 * Stops a run: ends its scheduler, and if asked kills its jobs on the hosts, so that nothing of it goes on.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { isInFlight } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import type { Connect } from "../link/link.ts";
import { makeConnect } from "../link/connect.ts";
import { openQueue } from "../store/queue_file.ts";
import type { Runner } from "../store/run_status.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";
import { killHeld } from "./kill_jobs.ts";
import { writeFile } from "./write_file.ts";
import { holdQueue } from "./hold_queue.ts";
import type { Watch } from "./refresh_queue.ts";

/**
 * What is sent to the scheduler, and when: the first asks it to stop, the second to leave, the third ends it in any
 * case.
 */
const SIGNALS = [
  { atMs: 0, signal: "TERM" },
  { atMs: 300, signal: "TERM" },
  { atMs: 3_000, signal: "TERM" },
  { atMs: 8_000, signal: "KILL" },
] as const;
const LIMIT_MS = 12_000;
const LOOK_MS = 20;

/** What {@link stopRun} did. */
export interface StopResult {
  /** False if neither a scheduler nor (where those are killed) a job of the queue ran. */
  readonly wasRunning: boolean;
  /** Process of the scheduler that was ended; null if none ran. */
  readonly pid: number | null;
  /** Jobs that run on; empty where they are killed. */
  readonly running: readonly JobName[];
  readonly killed: readonly JobName[];
  /** Jobs that may still run: their host does not answer. */
  readonly failed: readonly JobName[];
}

/**
 * Ends the scheduler that runs the queue. `kill`: and its jobs, also those of a scheduler that has died. Otherwise they
 * run on, and the next
 * run follows them.
 * @throws {CmsError} `not_found` if there is no such queue; `conflict` if its scheduler is on another machine or cannot
 * be ended.
 */
export async function stopRun(
  deps: Deps,
  request: { queue: StoreRef; kill: boolean },
  watch: Watch,
  connect: Connect = makeConnect(deps),
): Promise<StopResult> {
  const pid = await endScheduler(deps, request.queue);
  if (!request.kill) {
    return { wasRunning: pid !== null, pid, killed: [], failed: [], running: await inFlight(deps, request) };
  }
  const { store, runner } = await holdQueue(deps, request.queue);
  try {
    if (runner !== null) {
      throw new CmsError("conflict", `Cannot stop queue ${request.queue.name}: process ${runner.pid} holds it`);
    }
    const names = [...store.jobs.values()].filter((job) => isInFlight(job.status)).map((job) => job.name);
    const { killed, failed } = await killHeld(deps, { store, names, connect, warn: watch.warn });
    await writeFile(() => store.endRun("cheap"), watch);
    return { wasRunning: pid !== null || names.length > 0, pid, killed, failed, running: [] };
  } finally {
    store.close();
  }
}

async function inFlight(deps: Deps, { queue }: { queue: StoreRef }): Promise<JobName[]> {
  const store = await openQueue(deps, queue);
  try {
    return [...store.jobs.values()].filter((job) => isInFlight(job.status)).map((job) => job.name);
  } finally {
    store.close();
  }
}

/** @returns Its process; null if no scheduler ran. */
async function endScheduler(deps: Deps, ref: StoreRef): Promise<number | null> {
  const store = await openQueue(deps, ref);
  try {
    const runner = await schedulerOf(store);
    if (runner === null) return null;
    if (runner.hostname !== deps.environment.hostname()) {
      throw new CmsError(
        "conflict",
        `Cannot stop queue ${ref.name}: its scheduler is process ${runner.pid} on ${runner.hostname}`,
      );
    }
    const beganMs = deps.clock.now();
    const pending = [...SIGNALS];
    while (deps.clock.now() < beganMs + LIMIT_MS) {
      const now = await schedulerOf(store);
      if (now?.run !== runner.run) return runner.pid;
      const next = pending[0];
      if (next !== undefined && deps.clock.now() >= beganMs + next.atMs) {
        pending.shift();
        await signal(deps, runner.pid, next.signal);
      }
      await deps.clock.sleepUntil(deps.clock.now() + LOOK_MS);
    }
    throw new CmsError("conflict", `Cannot stop queue ${ref.name}: process ${runner.pid} does not end`);
  } finally {
    store.close();
  }
}

/** The scheduler that holds the lock of the run at this moment; its pid is the one that it wrote there. */
async function schedulerOf(store: QueueStore): Promise<Runner | null> {
  const last = await store.lastRun();
  return last !== null && last.isRunning && last.pid > 1 ? last : null;
}

async function signal(deps: Deps, pid: number, name: string): Promise<void> {
  if (pid === deps.environment.pid) throw new RangeError("Cannot stop a run: it is this process");
  const child = deps.processes.spawn(["sh", "-c", 'kill -s "$1" "$2"', "sh", name, String(pid)]);
  await Promise.allSettled([child.stdin.close(), child.stdout.cancel(), child.stderr.cancel()]);
  await child.ended;
}
