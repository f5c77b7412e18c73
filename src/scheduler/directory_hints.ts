/**
 * Has directories made early for the jobs that come next, where it is known which machine will get them. Part of the
 * core; a hint to the links, nothing depends on it.
 *
 * A start that has to make its directory costs a process more than one that finds it, about a third of what a short job
 * costs. Where several machines may get a job nothing is made early: the directories that stay empty would be in the
 * way of people.
 *
 * @module
 */

import { upcoming } from "./ahead.ts";
import type { JobName } from "../names/grammar.ts";
import { machineKey } from "../cluster/machine.ts";
import type { RunContext } from "./context.ts";
import type { Policy } from "./policies.ts";

/** As many are made at once, */
const BATCH = 64;
/** and again when no more than this are left. */
const LEFT = 16;

/** What was prepared in a run. */
export class DirectoryHints {
  readonly #run: RunContext;
  readonly #policy: Policy;
  /** Prepared and not yet started, with the key of the machine; null where nothing was made. */
  readonly #prepared = new Map<JobName, string | null>();
  /** Starts since the last look: without any there is nothing new to prepare. */
  #starts = 0;

  constructor(run: RunContext, policy: Policy) {
    this.#run = run;
    this.#policy = policy;
  }

  /** A job was started. */
  started(job: JobName): void {
    this.#prepared.delete(job);
    this.#starts++;
  }

  /** Adds effects `prepare` if it is time for some. */
  prepare(): void {
    if (this.#starts === 0 || this.#prepared.size > LEFT) return;
    this.#starts = 0;
    const next = upcoming(this.#run.candidates, this.#run.jobs, BATCH);
    // What was prepared but is next no more was passed over.
    const names = new Set(next.map((job) => job.name));
    this.drop([...this.#prepared.keys()].filter((name) => !names.has(name)));
    const fresh = next.filter((job) => !this.#prepared.has(job.name));
    if (fresh.length < 2) return; // One job at the end of a queue is no batch.
    for (const job of fresh) {
      const machine = this.#policy.foresee(job, this.#run.slots);
      this.#prepared.set(job.name, machine === null ? null : machineKey(machine));
    }
    this.#tell("prepare", fresh.map((job) => job.name));
  }

  /** These will not be started. */
  drop(jobs: readonly JobName[]): void {
    this.#tell("unprepare", jobs);
    for (const job of jobs) this.#prepared.delete(job);
  }

  /** None that is left will be started in this run. */
  dropAll(): void {
    if (this.#prepared.size > 0) this.drop([...this.#prepared.keys()]);
  }

  #tell(type: "prepare" | "unprepare", names: readonly JobName[]): void {
    const byMachine = new Map<string, JobName[]>();
    for (const name of names) {
      const machine = this.#prepared.get(name) ?? null;
      if (machine === null) continue;
      const jobs = byMachine.get(machine);
      if (jobs === undefined) byMachine.set(machine, [name]);
      else jobs.push(name);
    }
    for (const [machine, jobs] of byMachine) this.#run.effects.push({ type, machine, jobs });
  }
}
