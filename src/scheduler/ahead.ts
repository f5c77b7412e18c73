/**
 * Has directories made ahead for the jobs that come next, where it is known which machine will get them. Part of the core; a hint
 * to the links, nothing depends on it.
 *
 * A start that has to make its directory costs a process more than one that finds it, about a third of what a short job costs. Where
 * several machines may get a job nothing is made ahead: the directories that stay empty would be in the way of people.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { machineKey } from "../cluster/machine.ts";
import type { RunContext } from "./context.ts";
import type { Policy } from "./policies.ts";

/** As many are made at once, */
const BATCH = 64;
/** and again when no more than this are left. */
const LEFT = 16;

/** What was prepared in a run. */
export class Ahead {
  readonly #run: RunContext;
  readonly #policy: Policy;
  /** Prepared, not yet started. */
  #prepared = new Set<JobName>();
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
    const next = this.#run.candidates.ahead(this.#run.jobs, BATCH);
    // One job at the end of a queue is no batch, and what is prepared but no longer next counts no more.
    const fresh = next.filter((job) => !this.#prepared.has(job.name));
    if (fresh.length < 2) return;
    this.#prepared = new Set(next.map((job) => job.name));
    const byMachine = new Map<string, JobName[]>();
    for (const job of fresh) {
      const machine = this.#policy.foresee(job, this.#run.slots);
      if (machine === null) continue;
      const key = machineKey(machine);
      byMachine.set(key, [...byMachine.get(key) ?? [], job.name]);
    }
    for (const [machine, jobs] of byMachine) this.#run.effects.push({ type: "prepare", machine, jobs });
  }
}
