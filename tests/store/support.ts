/**
 * What the tests of the store share.
 *
 * @module
 */

import type { Deps, Files } from "../../src/deps.ts";
import { realDeps } from "../../src/deps_real.ts";
import { type Job, makeJob } from "../../src/job/job.ts";
import { jobName } from "../../src/names/grammar.ts";
import type { Change } from "../../src/store/changes.ts";
import { storePaths } from "../../src/store/paths.ts";
import type { QueueStore, StoreRef } from "../../src/store/store.ts";
import { memoryDeps, MemoryFiles } from "../../testing/memory_files.ts";

/** A place for queues. `edit` is what a person does with an editor. */
export interface World {
  readonly deps: Deps;
  readonly ref: StoreRef;
  readonly file: string;
  readonly journal: string;
  edit(path: string, text: string): Promise<void>;
}

/** Runs a test over files in memory and over real ones. */
export function onBothFiles(name: string, body: (world: World) => Promise<void>): void {
  Deno.test(`${name} (memory)`, () => inMemory(body));
  Deno.test(`${name} (files)`, () => onFiles(body));
}

/** A world in memory. */
export async function inMemory(body: (world: World) => Promise<void>): Promise<void> {
  const files = new MemoryFiles();
  const ref = { experiment: "experiment", directory: "/home/experiment", name: "a" };
  const edit = (path: string, text: string) => Promise.resolve(files.edit(path, text));
  await body({ deps: memoryDeps(files), ref, ...pick(ref), edit });
}

/** A world in a temporary directory. */
export async function onFiles(body: (world: World) => Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir());
  try {
    const ref = { experiment: "experiment", directory: `${directory}/experiment`, name: "a" };
    await body({ deps: realDeps(), ref, ...pick(ref), edit: (path, text) => Deno.writeTextFile(path, text) });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function pick(ref: StoreRef): { file: string; journal: string } {
  const { file, journal } = storePaths(ref, "queue");
  return { file, journal };
}

/** The same deps with other files. */
export function withFiles(deps: Deps, files: Files): Deps {
  return { ...deps, files };
}

/** A job as `add` makes it. */
export function newJob(name: string, command = "true", fields: Partial<Job> = {}): Job {
  const id = [...name].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("").padEnd(32, "0").slice(-32);
  return { ...makeJob(jobName(name), { command }, { id, experiment: "experiment" }), ...fields };
}

/** A change that adds a job. */
export function put(name: string, command = "true", fields: Partial<Job> = {}): Change {
  return { type: "put", job: newJob(name, command, fields) };
}

/** A change that sets fields. */
export function set(name: string, fields: Partial<Job>): Change {
  return { type: "set", job: jobName(name), fields };
}

/** A change that removes a job. */
export function del(name: string): Change {
  return { type: "delete", job: jobName(name) };
}

/** A job of an open queue. */
export function jobOf(queue: QueueStore, name: string): Job {
  const job = queue.jobs.get(jobName(name));
  if (job === undefined) throw new Error(`The queue has no job ${name}: ${[...queue.jobs.keys()].join(" ")}`);
  return job;
}

/** Names in order. */
export function namesOf(queue: QueueStore): string {
  return [...queue.jobs.keys()].join(" ");
}
