/**
 * Which job is handed out next, and where it goes: by priority, then in file order, until one has to wait. Part of the
 * core; pure but for the context that it changes.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import { isGpuInUse, isLack } from "../job/needs.ts";
import { hasTry } from "../job/retry.ts";
import { isWaiting } from "../job/states.ts";
import type { Attempts } from "./attempts.ts";
import type { Backlogs } from "./backlogs.ts";
import { report, type RunContext } from "./context.ts";
import type { DirectoryHints } from "./directory_hints.ts";
import type { Endings } from "./endings.ts";
import type { GpuWatch } from "./gpu_watch.ts";
import { type Halt, isHaltDue } from "./halt.ts";
import type { Links } from "./links.ts";
import { Machines } from "./machines.ts";
import { type Placement, placeOn, type Policy } from "./policies.ts";
import type { RunResult } from "./report.ts";
import { couldHold } from "./resources.ts";
import type { SlotHost } from "./slot_host.ts";

/** Most different needs that wait for room side by side: each is looked at whenever something changes. */
const MOST_PARKED = 64;

/** What a {@link Handout} works with. */
export interface HandoutParts {
  readonly policy: Policy;
  readonly attempts: Attempts;
  readonly endings: Endings;
  readonly links: Links;
  readonly backlogs: Backlogs;
  readonly hints: DirectoryHints;
  readonly gpus: GpuWatch;
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
    if (this.#next() !== null) return true;
    return !this.isEnding && !this.isPaused && this.#run.candidates.parked.size > 0;
  }

  /** Which hosts could hold any of the jobs that wait. */
  couldUse(): (host: SlotHost) => boolean {
    const { candidates, jobs, slots } = this.#run;
    if (candidates.parked.size === 0 || this.#next() !== null) return () => true;
    const all = candidates.parked.firsts().flatMap((name) => {
      const job = jobs.get(name);
      return job === undefined ? [] : slots.needsOf(job) ?? [];
    });
    return (host) => all.some((needs) => couldHold(host, needs));
  }

  /** The job to consider next; null for none. */
  #next(): JobName | null {
    const { candidates, jobs, nowMs } = this.#run;
    return this.isEnding || this.isPaused ? null : candidates.peek(jobs, nowMs);
  }

  /** True if the run has only to wait: for a host's word, for the time of a next try, or for the end of a pause. */
  get isPatient(): boolean {
    const { candidates, jobs, nowMs } = this.#run;
    if (this.isEnding) return false;
    if (candidates.wakeAtMs < Infinity || this.#isAsking()) return true;
    return this.isPaused && (candidates.parked.size > 0 || candidates.peek(jobs, nowMs) !== null);
  }

  /** True while a machine may be about to say, for the first time, that what was given up there is over. */
  #isAsking(): boolean {
    const { machines, inFlight, jobs } = this.#run;
    return [...machines.all()].some((state) =>
      Machines.isFirstWord(state) && [...inFlight.on(state.key)].some(({ job }) => hasTry(jobs.get(job)))
    );
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
    const { jobs, candidates, slots, machines, inFlight, nowMs } = this.#run;
    if (!this.#parts.links.isSettled()) return;
    slots.keepNone();
    candidates.parked.open();
    let startedAny = false;
    const { gpus } = this.#parts;
    for (let name = this.#next(); name !== null; name = this.#next()) {
      const job = jobs.get(name)!;
      const placement = this.#parts.policy.place(job, { slots, machines, running: inFlight.running, nowMs, gpus });
      const step = this.#act(job, placement, startedAny);
      if (step === "stop") return;
      if (step !== "go_on") startedAny = step === "started";
    }
  }

  /** Does what the policy says of a job. @returns `stop`: none behind it may start now. `told`: that slots are full. */
  #act(job: Job, placement: Placement, startedAny: boolean): "stop" | "go_on" | "started" | "told" {
    const { jobs, candidates } = this.#run;
    switch (placement.type) {
      case "wait":
        if (placement.need !== null) this.#parts.links.need(placement.need);
        if (placement.full === null) return "stop";
        if (startedAny) report(this.#run, { type: "waiting", slots: placement.full });
        return this.#prefetch(job) ? "told" : "stop";
      case "skip":
        candidates.take(job.name, jobs);
        if (placement.reason !== null) {
          this.#skipped.add(job.name);
          report(this.#run, { type: "skipped", job: job.name, reason: placement.reason });
        }
        return "go_on";
      case "fail":
        candidates.take(job.name, jobs);
        this.#parts.endings.failStart(job, placement);
        return "go_on";
      case "park":
        return this.#park(job, placement.keep, placement.reason) ? "go_on" : "stop";
      case "ask":
        for (const host of placement.hosts) this.#parts.gpus.ask(host);
        return this.#park(job, placement.hosts[0]!.id, job.reason ?? null) ? "go_on" : "stop";
      case "unfit":
        candidates.setUnfit(job.name, placement.reason);
        this.#note(job, placement.reason);
        return "go_on";
      case "place":
        if (placement.share !== undefined && this.#parts.backlogs.yield(placement.slot!)) {
          return this.#park(job, placement.slot, null) ? "go_on" : "stop";
        }
        return this.#start(job, placement) ? "started" : "go_on";
      default:
        return placement satisfies never;
    }
  }

  /** All slots are taken: sends the job ahead, if a host takes more. @returns False if none does. */
  #prefetch(job: Job): boolean {
    const { jobs, candidates } = this.#run;
    const host = this.#parts.backlogs.next(candidates.waiting(jobs));
    if (host === null) return false;
    if (this.#parts.attempts.leaveOld(job.name)) return true;
    candidates.take(job.name, jobs);
    this.#parts.attempts.start(job, placeOn(host, []), true);
    this.#parts.hints.started(job.name);
    return true;
  }

  /** @returns False if an earlier job of its name is in the way. */
  #start(job: Job, placement: Extract<Placement, { type: "place" }>): boolean {
    if (this.#parts.attempts.leaveOld(job.name)) return false;
    this.#run.candidates.take(job.name, this.#run.jobs);
    this.#skipped.delete(job.name);
    this.#parts.attempts.start(job, placement);
    this.#parts.hints.started(job.name);
    return true;
  }

  /**
   * A job needs more than is free now, and keeps the host on which it will fit soonest. @returns False if there are too
   * many of these: none behind it passes it.
   */
  #park(job: Job, keep: string | null, reason: string | null): boolean {
    const { candidates, slots, jobs } = this.#run;
    candidates.park(job.name, slots.needsOf(job)!.key, jobs);
    if (reason !== null || isPassing(job.reason ?? "")) this.#note(job, reason);
    if (keep !== null) {
      slots.keep(keep, job.name);
      this.#parts.backlogs.yield(keep);
    }
    return candidates.parked.blocked < MOST_PARKED;
  }

  /** Writes down why a job waits, for people. */
  #note(job: Job, reason: string | null): void {
    if ((job.reason ?? null) === reason) return;
    const change = { type: "set", job: job.name, fields: { reason } } as const;
    this.#run.effects.push({ type: "change", change, of: job, durable: false });
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
    const { jobs, inFlight } = this.#run;
    const name = inFlight.waiting === 0 ? null : this.#next();
    if (name !== null) this.#parts.backlogs.letPass(jobs.get(name)?.priority ?? 0);
  }
}

/** True for what keeps a job waiting only until hosts are others, or are asked again. */
function isPassing(reason: string): boolean {
  return isLack(reason) || isGpuInUse(reason);
}
