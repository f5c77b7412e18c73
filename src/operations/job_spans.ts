/**
 * When and where the jobs of a queue ran, as columns: little for each job, so that a page can draw all of them.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { type Job, placeOf } from "../job/job.ts";
import { isFailed } from "../job/outcome.ts";
import { liveJobs } from "../store/read_jobs.ts";
import { Rests } from "../store/rests.ts";
import type { StoreRef } from "../store/store.ts";

/** Jobs that are looked at between two rests. */
const AT_ONCE = 1_000;

/** Columns of equal length, in order of the begin. Times in epoch seconds. */
export interface JobSpans {
  readonly machines: string[];
  readonly states: string[];
  readonly names: string[];
  readonly begin: number[];
  /** null: it runs. */
  readonly end: (number | null)[];
  /** Places in `machines` and `states`. */
  readonly machine: number[];
  readonly state: number[];
  /** 1: it did not end well. */
  readonly failed: number[];
}

/** The spans of all jobs that were started. @throws {CmsError} `not_found` if there is no such queue. */
export async function jobSpans(deps: Deps, { queue }: { queue: StoreRef }): Promise<JobSpans> {
  const rests = new Rests(deps.clock);
  const jobs = [...(await liveJobs(deps, queue)).values()];
  const started: Job[] = [];
  const begins: number[] = [];
  await inParts(jobs.length, rests, (i) => {
    const job = jobs[i]!;
    if (job.started === null) return;
    started.push(job);
    begins.push(Date.parse(job.started) / 1000);
  });
  // By numbers alone: as quick as can be.
  const order = Uint32Array.from(begins, (_, i) => i).sort((x, y) => begins[x]! - begins[y]!);
  const [machines, states] = [new Places(), new Places()];
  const spans: JobSpans = {
    machines: machines.texts,
    states: states.texts,
    names: [],
    begin: [],
    end: [],
    machine: [],
    state: [],
    failed: [],
  };
  await inParts(order.length, rests, (i) => {
    const job = started[order[i]!]!;
    spans.names.push(job.name);
    spans.begin.push(begins[order[i]!]!);
    spans.end.push(job.ended === null ? null : Date.parse(job.ended) / 1000);
    spans.machine.push(machines.of(placeOf(job) ?? ""));
    spans.state.push(states.of(job.status));
    spans.failed.push(Number(isFailed(job)));
  });
  return spans;
}

async function inParts(count: number, rests: Rests, look: (i: number) => void): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (i % AT_ONCE === 0) await rests.take();
    look(i);
  }
}

/** Texts by the order of their appearance. */
class Places {
  readonly texts: string[] = [];
  readonly #places = new Map<string, number>();

  of(text: string): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.#places.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}
