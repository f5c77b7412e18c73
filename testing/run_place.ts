/**
 * A fresh directory with a queue `a`, and a program that can start itself in the background. Whatever still runs at the
 * end is stopped.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Deps } from "../src/deps.ts";
import { realDeps } from "../src/deps_real.ts";
import type { Job } from "../src/job/job.ts";
import { addJobs } from "../src/operations/add_jobs.ts";
import { createQueue } from "../src/operations/create_queue.ts";
import { listJobs } from "../src/operations/list_jobs.ts";
import { queueRef } from "../src/operations/refs.ts";
import { startRun } from "../src/operations/start_run.ts";
import { stopRun } from "../src/operations/stop_run.ts";
import type { StoreRef } from "../src/store/store.ts";
import { waitUntil } from "./wait.ts";

/** The words that start the program from its sources. */
export const SELF: readonly string[] = [
  Deno.execPath(),
  "run",
  "-A",
  "--no-prompt",
  fileURLToPath(new URL("../main.ts", import.meta.url)),
];

/** A queue to run. */
export interface RunPlace {
  readonly directory: string;
  readonly deps: Deps;
  readonly queue: StoreRef;
  readonly warnings: string[];
  /** Adds jobs of localhost. */
  add(name: string, command: string): Promise<void>;
  /** Starts a run of up to four jobs at once; gives its pid. */
  start(): Promise<number>;
  stop(): ReturnType<typeof stopRun>;
  /** State of each job: `job1 end`. */
  states(): Promise<string[]>;
  job(name: string): Promise<Job>;
  /** Waits until the jobs are in these states. */
  reach(...states: string[]): Promise<void>;
}

/** Calls `use` with a place, which is removed at the end. */
export async function withQueue(use: (place: RunPlace) => Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "cms-runs-" }));
  const real = realDeps();
  const deps = { ...real, environment: { ...real.environment, cwd: () => directory, self: SELF } };
  const queue = queueRef(deps, { queue: "a" });
  const warnings: string[] = [];
  const watch = { warn: (text: string) => void warnings.push(text) };
  const states = async () => (await listJobs(deps, { queue })).map(({ name, status }) => `${name} ${status}`);
  await createQueue(deps, { queue });
  const place: RunPlace = {
    directory,
    deps,
    queue,
    warnings,
    add: async (name, command) => {
      await addJobs(deps, { queue, name, spec: { command, user: "me", host: "localhost" } });
    },
    start: async () => (await startRun(deps, { queue, scheduler: "fifo", maxParallel: 4, timeoutMs: 600_000 })).pid,
    stop: () => stopRun(deps, { queue, kill: true }, watch),
    states,
    job: async (name) => (await listJobs(deps, { queue })).find((job) => job.name === name)!,
    reach: async (...wanted) => {
      await waitUntil(
        async () => `${wanted}; now ${await states()}`,
        async () => JSON.stringify(await states()) === JSON.stringify(wanted),
        { limitMs: 30_000 },
      );
    },
  };
  try {
    await use(place);
  } finally {
    await place.stop().catch(() => {});
    await Deno.remove(directory, { recursive: true });
  }
}

/** True while a process is there and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
