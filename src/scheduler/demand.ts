/**
 * What those have to know who bring hosts to a run and take them away: how much waits for such a host, and where
 * something is in flight. Part of the core; it changes nothing.
 *
 * @module
 */

import { endOfAllocation } from "../agent/boot.ts";
import { dependenceOf, hasDependencies } from "../job/dependencies.ts";
import type { Job } from "../job/job.ts";
import type { JobName } from "../names/grammar.ts";
import { ahead } from "./ahead.ts";
import type { RunContext } from "./context.ts";
import type { Handout } from "./handout.ts";
import { couldHold } from "./resources.ts";
import type { SlotHost } from "./slot_host.ts";

/** How many jobs of the list are looked at for each that is sought. */
const LOOKS = 4;

/** A look at a run. Good until the next step. */
export class Demand {
  readonly #run: RunContext;
  readonly #handout: Handout;

  constructor(run: RunContext, handout: Handout) {
    this.#run = run;
    this.#handout = handout;
  }

  /** Slots that jobs which wait could fill on hosts like this one; `most` at most. */
  waiting(host: SlotHost, most: number): number {
    const { candidates, jobs, slots } = this.#run;
    if (this.#handout.isEnding || this.#handout.isPaused) return 0;
    const slotsFor = (job: Job): number => {
      const needs = slots.needsOf(job);
      return needs === null ? 1 : couldHold(host, needs) ? needs.slots : 0;
    };
    let count = 0;
    for (const [first, jobsOfGroup] of candidates.parked.groups()) {
      const job = jobs.get(first);
      if (job !== undefined) count += slotsFor(job) * jobsOfGroup;
    }
    const counted = new Set<JobName>();
    for (const job of ahead(candidates, jobs, LOOKS * most)) {
      if (count >= most) break;
      if (counted.has(job.name) || candidates.parked.has(job.name)) continue;
      counted.add(job.name);
      if (!hasDependencies(job) || dependenceOf(job, jobs).type === "met") count += slotsFor(job);
    }
    return Math.min(count, most);
  }

  /** True if something is in flight on the machine. */
  isBusy(machine: string): boolean {
    return this.#run.inFlight.anyOn(machine);
  }

  /** Whether its link is open. */
  isOpen(machine: string): boolean {
    return (this.#run.machines.get(machine)?.openedAtMs ?? null) !== null;
  }

  /** How the allocation ended for which the machine stands, as it said itself; null if it did not. */
  endOf(machine: string): string | null {
    return endOfAllocation(this.#run.machines.get(machine)?.boot ?? null);
  }

  /** The allocation for which the machine stands takes no more jobs, as it said itself. */
  isClosing(machine: string): boolean {
    return this.#run.machines.get(machine)?.isClosing ?? false;
  }

  /** Why the last try to open its link failed; null if none did. */
  whyDown(machine: string): string | null {
    return this.#run.machines.get(machine)?.reason || null;
  }

  /** Free slots of a host. */
  room(host: SlotHost): number {
    return Math.max(0, this.#run.slots.room(host));
  }

  /** True if no job starts any more in this run. */
  get isEnding(): boolean {
    return this.#handout.isEnding;
  }
}
