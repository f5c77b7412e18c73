/**
 * Which job is handed out next, and where it goes: by priority, then in file order, until one has to wait. Part of the
 * core; pure but for the context that it changes.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { isWaiting } from "../job/states.ts";
import type { Attempts } from "./attempts.ts";
import type { Backlogs } from "./backlogs.ts";
import { report, type RunContext } from "./context.ts";
import type { DirectoryHints } from "./directory_hints.ts";
import type { Endings } from "./endings.ts";
import { type Halt, isHaltDue } from "./halt.ts";
import type { Links } from "./links.ts";
import { placeOn, type Policy } from "./policies.ts";
import type { RunResult } from "./report.ts";

/** What a {@link Handout} works with. */
export interface HandoutParts {
  readonly policy: Policy;
  readonly attempts: Attempts;
  readonly endings: Endings;
  readonly links: Links;
  readonly backlogs: Backlogs;
  readonly hints: DirectoryHints;
}

/** Hands out jobs while nothing keeps the run from it. */
export class Handout {
  /** Somebody stops the run, or it halts: no job starts any more. */
  isStopping = false;
  #hasHalted = false;
  /** No machine is left for what waits: no job starts any more. */
  hasNoHosts = false;
  /** No job starts until the pause is over. */
  isPaused = false;
  readonly #run: RunContext;
  readonly #parts: HandoutParts;
  /** Passed over so far. */
  readonly #skipped = new Set<JobName>();

  constructor(run: RunContext, parts: HandoutParts) {
    this.#run = run;
    this.#parts = parts;
  }

  /** Starts what can start, ends what never can, and recalls what is in the way of a higher priority. */
  handOut(): void {
    this.#consider();
    this.#failDoomed();
    this.#letPass();
  }

  /** True if no job starts any more in this run. */
  get isEnding(): boolean {
    return this.isStopping || this.hasNoHosts;
  }

  /** How the run ends, as it stands. */
  get outcome(): RunResult["outcome"] {
    if (this.hasNoHosts) return "no_hosts";
    return this.#hasHalted ? "halted" : this.isStopping ? "stopped" : "done";
  }

  /** True if a job may still be considered in this run. */
  get hasMore(): boolean {
    const { candidates, jobs, nowMs } = this.#run;
    return !this.isEnding && !this.isPaused && candidates.peek(jobs, nowMs) !== null;
  }

  /** True if the run has only to wait: for the time of a next try, or for the end of a pause. */
  get isPatient(): boolean {
    const { candidates, jobs, nowMs } = this.#run;
    if (this.isEnding) return false;
    if (candidates.wakeAtMs < Infinity) return true;
    return this.isPaused && candidates.peek(jobs, nowMs) !== null;
  }

  /** Opens links early where the policy knows which machine a job will need. */
  foresee(names: Iterable<JobName>): void {
    for (const name of names) {
      const job = this.#run.jobs.get(name);
      const waits = job !== undefined && isWaiting(job.status);
      const machine = waits ? this.#parts.policy.foresee(job, this.#run.slots) : null;
      if (machine !== null) this.#parts.links.need(machine);
    }
  }

  /** Halts the run if so many jobs are over as it waits for. `total`: all jobs of the run. */
  maybeHalt(halt: Halt, total: number): void {
    const { done, failed, dependents } = this.#run.outcomes.counts();
    const own = done - dependents;
    const counts = { fail: failed - dependents, success: done - failed, done: own, total };
    if (!isHaltDue(halt, counts)) return;
    this.isStopping = true;
    this.#hasHalted = true;
    const { inFlight } = this.#run;
    report(this.#run, { type: "halt", halt, count: counts[halt.why], running: inFlight.running });
    if (halt.when === "now") { for (const name of inFlight.names()) this.#parts.attempts.wantKill(name); }
  }

  /** Jobs that were passed over, and wait still. */
  skipped(): JobName[] {
    return [...this.#skipped].filter((name) => isWaiting(this.#run.jobs.get(name)?.status ?? "end"));
  }

  /** Considers jobs in file order until one has to wait. */
  #consider(): void {
    const { jobs, candidates, slots, machines, inFlight } = this.#run;
    if (!this.#parts.links.isSettled()) return;
    let startedAny = false;
    while (this.hasMore) {
      const name = candidates.peek(jobs, this.#run.nowMs)!;
      const job = jobs.get(name)!;
      const placement = this.#parts.policy.place(job, { slots, machines, running: inFlight.running });
      switch (placement.type) {
        case "wait": {
          if (placement.need !== null) this.#parts.links.need(placement.need);
          if (placement.full === null) return;
          if (startedAny) report(this.#run, { type: "waiting", slots: placement.full });
          startedAny = false;
          const host = this.#parts.backlogs.next(candidates.waiting(jobs));
          if (host === null) return;
          if (this.#parts.attempts.leaveOld(name)) continue;
          candidates.take(name, jobs);
          this.#parts.attempts.start(job, placeOn(host), true);
          this.#parts.hints.started(name);
          break;
        }
        case "skip":
          candidates.take(name, jobs);
          if (placement.reason !== null) {
            this.#skipped.add(name);
            report(this.#run, { type: "skipped", job: name, reason: placement.reason });
          }
          break;
        case "fail":
          candidates.take(name, jobs);
          this.#parts.endings.failStart(job, placement);
          break;
        case "place":
          if (this.#parts.attempts.leaveOld(name)) continue;
          candidates.take(name, jobs);
          this.#skipped.delete(name);
          this.#parts.attempts.start(job, placement);
          this.#parts.hints.started(name);
          startedAny = true;
          break;
        default:
          placement satisfies never;
      }
    }
  }

  /** Ends jobs that can never start. */
  #failDoomed(): void {
    const { candidates, jobs } = this.#run;
    for (const { job, reason } of candidates.takeDoomed()) {
      const own = jobs.get(job);
      if (own !== undefined && isWaiting(own.status)) {
        this.#parts.endings.failStart(own, { machine: "", reason, isDependent: true });
      }
    }
  }

  /** Recalls what waits on hosts for a slot where a job of higher priority waits here. */
  #letPass(): void {
    const { candidates, jobs, inFlight, nowMs } = this.#run;
    if (inFlight.waiting === 0 || !this.hasMore) return;
    this.#parts.backlogs.letPass(jobs.get(candidates.peek(jobs, nowMs)!)?.priority ?? 0);
  }
}
