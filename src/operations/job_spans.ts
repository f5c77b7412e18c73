/**
 * When and where the jobs of a queue ran, as columns: little for each job, so that a page can draw all of them.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { type Job, placeOf } from "../job/job.ts";
import { isFailed } from "../job/outcome.ts";
import { readJobs } from "../store/read_jobs.ts";
import type { StoreRef } from "../store/store.ts";

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
  const jobs = [...(await readJobs(deps, queue)).values()].filter(({ started }) => started !== null);
  const begins = new Map(jobs.map((job) => [job, Date.parse(job.started!) / 1000]));
  jobs.sort((a, b) => begins.get(a)! - begins.get(b)!);
  const [machines, states] = [new Places(), new Places()];
  return {
    machine: jobs.map((job) => machines.of(machineOf(job))),
    state: jobs.map(({ status }) => states.of(status)),
    machines: machines.texts,
    states: states.texts,
    names: jobs.map(({ name }) => name),
    begin: jobs.map((job) => begins.get(job)!),
    end: jobs.map(({ ended }) => ended === null ? null : Date.parse(ended) / 1000),
    failed: jobs.map((job) => Number(isFailed(job))),
  };
}

function machineOf(job: Job): string {
  return placeOf(job) ?? "";
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
