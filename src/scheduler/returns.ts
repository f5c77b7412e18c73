/**
 * Jobs that a run has to look at once more when what it decided about them is written: those that wait again, and those
 * whose end lets others start. Part of the core; pure but for the context that it changes.
 *
 * Several steps may go into one commit. So each change is looked for in the queue before the candidates hear of it.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { RunContext } from "./context.ts";

/** The jobs that come back to the candidates. */
export class Returns {
  readonly #run: RunContext;
  /** They wait again: candidates when that is written. */
  #returned: JobName[] = [];
  /** They are over, and other jobs wait for them. */
  readonly #over = new Map<JobName, Job>();
  /** They wait for the end of an earlier job of their name. */
  readonly #behind = new Set<JobName>();

  constructor(run: RunContext) {
    this.#run = run;
  }

  /** The job waits again, at its place in the file. */
  putBack(name: JobName): void {
    this.#returned.push(name);
  }

  /** The job is over: others may start, or never will. */
  noteOver(name: JobName): void {
    const job = this.#run.candidates.isParent(name) ? this.#run.jobs.get(name) : undefined;
    if (job !== undefined) this.#over.set(name, job);
  }

  /** The ends of these jobs count no more, as they could not be written, or others changed the jobs. */
  forgetEnds(names: Iterable<JobName>): void {
    for (const name of names) this.#over.delete(name);
  }

  /** The job waits until {@link Returns.freeName}. */
  putBehind(name: JobName): void {
    this.#behind.add(name);
  }

  /** No attempt of this name holds a slot: a job that waited for that is a candidate again. */
  freeName(name: JobName): void {
    if (this.#behind.delete(name)) this.#returned.push(name);
  }

  /** Brings the candidates what is written by now. */
  take(): void {
    const { jobs, candidates } = this.#run;
    for (const [name, before] of this.#over) {
      const job = jobs.get(name);
      // Until it is written, one that ran is in flight, and one that can never start waits as it did.
      const isOpen = job !== undefined && job.id === before.id &&
        (isInFlight(job.status) || (isWaiting(job.status) && job.status === before.status));
      if (isOpen) continue;
      this.#over.delete(name);
      candidates.moved(name, jobs);
    }
    if (this.#returned.length === 0) return;
    const isWritten = (name: JobName): boolean => !isInFlight(jobs.get(name)?.status ?? "end");
    candidates.putBack(this.#returned.filter(isWritten), jobs);
    this.#returned = this.#returned.filter((name) => !isWritten(name));
  }

  /** True if a further step has something to do at once. */
  get isPending(): boolean {
    return this.#returned.length + this.#over.size > 0;
  }
}
