/**
 * Adds jobs that come one after another, for programs: each line is a job as JSON, and gets a line of JSON in return
 * once it is durable. What has come is written in one go, so that a fast program pays for few writes.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { CmsError } from "../errors.ts";
import { hasDependencies } from "../job/dependencies.ts";
import { type Job, makeJob } from "../job/job.ts";
import { isInFlight } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";
import type { Change, Jobs } from "../store/changes.ts";
import { openQueue } from "../store/queue_file.ts";
import type { QueueStore, StoreRef } from "../store/store.ts";
import { readNewJobs, refuseInFlight } from "./add_jobs.ts";
import { refuseOrder } from "./check_order.ts";
import { nameIn, type NewJob, readWholeJob } from "./whole_jobs.ts";

/** Most jobs of one write. */
const BATCH = 1000;

/** What became of one line. */
export type Answer =
  | { readonly name: string; readonly id: string }
  /** `line` counts from 1, blank ones too. */
  | { readonly line: number; readonly error: string };

/** A line that is being added. */
interface Item {
  readonly line: number;
  readonly job: Job;
}

/**
 * Adds the jobs of all lines. One that cannot be used is answered with its error, and the others go on.
 * @param options `given`: fields that hold for all of them; they count before those of a line. @param answer Gets the
 * answers in the order of the lines.
 * @returns How many were refused. @throws {CmsError} If the queue cannot be read or written.
 */
export async function addStream(
  deps: Deps,
  { queue, given }: { queue: StoreRef; given: Partial<NewJob["spec"]> },
  chunks: AsyncIterable<string>,
  answer: (answers: readonly Answer[]) => Promise<void>,
): Promise<number> {
  const store = await openQueue(deps, queue);
  let refused = 0;
  let line = 0;
  let rest = "";
  const take = async (lines: readonly string[]): Promise<void> => {
    for (let at = 0; at < lines.length; at += BATCH) {
      const batch = lines.slice(at, at + BATCH).map((text) => ({ line: ++line, text }))
        .filter(({ text }) => text.trim() !== "");
      const answers = await addBatch(deps, store, batch, { queue, given });
      refused += answers.filter((one) => "error" in one).length;
      await answer(answers);
    }
    await store.checkpoint("cheap");
  };
  try {
    for await (const chunk of chunks) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      await take(lines);
    }
    await take([rest]);
  } finally {
    store.close();
  }
  return refused;
}

async function addBatch(
  deps: Deps,
  store: QueueStore,
  lines: readonly { readonly line: number; readonly text: string }[],
  about: { queue: StoreRef; given: Partial<NewJob["spec"]> },
): Promise<Answer[]> {
  const answers = new Map<number, Answer>();
  // A name that comes again begins a new write: it replaces the job of the one before.
  let items = new Map<JobName, Item>();
  const flush = async (): Promise<void> => {
    for (const one of await commit(store, [...items.values()])) answers.set(one.line, one.answer);
    items = new Map();
  };
  for (const { line, text } of lines) {
    const job = readLine(deps, text, about);
    if (typeof job === "string") {
      answers.set(line, { line, error: job });
      continue;
    }
    if (items.has(job.name)) await flush();
    items.set(job.name, { line, job });
  }
  await flush();
  return [...answers].sort(([a], [b]) => a - b).map(([, one]) => one);
}

/** The job of a line, or what is wrong with it. */
function readLine(
  deps: Deps,
  text: string,
  { queue, given }: { queue: StoreRef; given: Partial<NewJob["spec"]> },
): Job | string {
  try {
    const fields: unknown = JSON.parse(text);
    const read = readWholeJob(nameIn(fields), fields);
    if ("problems" in read) return read.problems.join("; ");
    const [made] = readNewJobs([{ name: read.name, spec: { ...read.spec, ...given } }], queue.experiment);
    const [name, spec] = made!;
    return makeJob(name, spec, { id: deps.ids.hex(16), experiment: queue.experiment });
  } catch (error) {
    if (error instanceof CmsError || error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/** Adds all, or where that is refused one by one: then only those are left out that are the cause. */
async function commit(
  store: QueueStore,
  items: readonly Item[],
): Promise<{ readonly line: number; readonly answer: Answer }[]> {
  if (items.length === 0) return [];
  try {
    await store.commit(() => changesFor(items.map(({ job }) => job), store.jobs));
  } catch (error) {
    if (!(error instanceof CmsError) || (error.code !== "conflict" && error.code !== "invalid")) throw error;
    if (items.length === 1) {
      const [{ line }] = items as [Item];
      return [{ line, answer: { line, error: error.message } }];
    }
    const parts = [];
    for (const item of items) parts.push(...await commit(store, [item]));
    return parts;
  }
  return items.map(({ line, job: { name, id } }) => ({ line, answer: { name, id } }));
}

function changesFor(jobs: readonly Job[], known: Jobs): Change[] {
  refuseInFlight(jobs.map(({ name }) => name).filter((name) => isInFlight(known.get(name)?.status ?? "undefined")));
  if (jobs.some(hasDependencies)) refuseOrder("add", jobs, known);
  return jobs.map((job) => ({ type: "put", job }));
}
