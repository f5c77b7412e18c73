/**
 * The scheduler's core: (state, event) -> state, effects. It decides and never waits, reads no clock and no file; the
 * caller gives the time and the queue's jobs, commits the `change` effects of a step, and only then carries out the
 * rest.
 *
 * The rules it keeps (docs/architecture.md, "What must never break"): a start is decided once and written down before
 * it is sent; slots and `max_parallel` are never exceeded; jobs start by priority, then in file order; a job is looked
 * at when it is considered, not before; a state moves only as `job/states.ts` allows.
 *
 * @module
 */

import { tryNumber } from "../job/retry.ts";
import type { JobName } from "../names/grammar.ts";
import { isGivenUp, type Job } from "../job/job.ts";
import { isInFlight, isWaiting, type JobState } from "../job/states.ts";
import type { AttemptState, LinkEvent } from "../link/link.ts";
import type { Jobs } from "../store/changes.ts";
import { ASK_LIMIT, Attempts, whyOf } from "./attempts.ts";
import { Backlogs } from "./backlogs.ts";
import { Candidates } from "./candidates.ts";
import { report, type RunContext } from "./context.ts";
import type { AttemptRef } from "../job/attempt.ts";
import type { CoreEvent, Effect } from "./events.ts";
import { DirectoryHints } from "./directory_hints.ts";
import { backlogOf, type InFlight, isRecalled } from "./in_flight.ts";
import { type Halt, isHaltDue } from "./halt.ts";
import { InFlightSet } from "./in_flight_set.ts";
import { Links } from "./links.ts";
import { Machines } from "./machines.ts";
import { Outcomes } from "./outcomes.ts";
import type { Policy } from "./policies.ts";
import type { Progress, RunResult } from "./report.ts";
import { type SlotHost, Slots } from "./slots.ts";

/** What a run is made from. */
export interface CoreOptions {
  readonly policy: Policy;
  /** Hosts that give slots; empty for `fifo`, whose jobs name their machines. */
  readonly hosts: readonly SlotHost[];
  /** A machine silent for this long is given up, with the jobs on it. */
  readonly timeoutMs: number;
  /** When the run halts before its queue is through. */
  readonly halt?: Halt | undefined;
  /** Time limit of jobs that this run starts and that have none, such as `30m`. */
  readonly timeLimit?: string | null;
}

/** One run. Feed it events with {@link Core.step}. */
export class Core {
  readonly #policy: Policy;
  readonly #run: RunContext;
  readonly #attempts: Attempts;
  readonly #links: Links;
  readonly #backlogs: Backlogs;
  readonly #hints: DirectoryHints;
  #began = false;
  #stopping = false;
  readonly #halt: Halt | null;
  #halted = false;
  #noHosts = false;
  #paused = false;
  #finished = false;
  /** Passed over so far. */
  readonly #skipped = new Set<JobName>();

  /** @param jobs A live view of the queue, up to date at each step. */
  constructor(options: CoreOptions, jobs: Jobs) {
    this.#policy = options.policy;
    this.#halt = options.halt ?? null;
    const inFlight: JobName[] = [];
    const inherited: Job[] = [];
    for (const job of jobs.values()) {
      if (isInFlight(job.status)) inFlight.push(job.name);
      if (isInFlight(job.status) || isGivenUp(job)) inherited.push(job);
    }
    this.#run = {
      jobs,
      machines: new Machines(),
      inFlight: new InFlightSet(),
      slots: new Slots(options.hosts),
      candidates: new Candidates(jobs, inFlight),
      outcomes: new Outcomes(),
      timeoutMs: options.timeoutMs,
      timeLimit: options.timeLimit ?? null,
      nowMs: 0,
      effects: [],
    };
    this.#backlogs = new Backlogs(this.#run);
    this.#attempts = new Attempts(this.#run, this.#backlogs);
    this.#links = new Links(this.#run, { attempts: this.#attempts, backlogs: this.#backlogs });
    this.#hints = new DirectoryHints(this.#run, this.#policy);
    for (const job of inherited) this.#attempts.inherit(job);
  }

  /** Takes in one event; returns what is to be done, in order. */
  step(event: CoreEvent, nowMs: number): Effect[] {
    const run = this.#run;
    run.effects = [];
    run.nowMs = nowMs;
    // There may be more to do: something was added, or what was decided last was undone.
    if (event.type === "external") this.#finished = false;
    if (this.#finished) return run.effects;
    if (event.type === "stood_still") {
      // Nothing is decided now: what others did meanwhile is told next.
      this.#links.stoodStill(event.ms);
      return run.effects;
    }
    this.#attempts.takeReturned();
    this.#take(event);
    this.#attempts.tellAway();
    if (this.#halt !== null && !this.#stopping) this.#maybeHalt(this.#halt);
    // Starts and ends, the many events, change nothing about the machines.
    const isAboutMachines = event.type !== "link" || event.event.type === "down";
    if (this.#began && isAboutMachines) {
      this.#links.open(this.#hasMore());
      this.#links.giveUpSilent();
      if (this.#links.isHopeless(this.#hasMore())) this.#noHosts = true;
    }
    if (this.#began) {
      this.#consider();
      this.#failDoomed();
      this.#letPass();
    }
    const more = this.#hasMore();
    if (this.#stopping || this.#noHosts || this.#paused) this.#backlogs.recallAll();
    this.#backlogs.tick(more);
    if (more) this.#hints.prepare();
    else this.#hints.dropAll();
    if (this.#began && run.inFlight.open === 0 && !more && !this.#attempts.hasReturned && !this.#isPatient()) {
      this.#finished = true;
      run.effects.push({ type: "finish" });
    }
    return run.effects;
  }

  /** True when nothing is left to do; what others add makes it false again. */
  get isFinished(): boolean {
    return this.#finished;
  }

  /** When to send `tick` at the latest, epoch ms; null for never. */
  get wakeAtMs(): number | null {
    if (this.#attempts.hasReturned) return this.#run.nowMs;
    const isOver = this.#stopping || this.#noHosts || this.#paused;
    const triedAtMs = isOver ? Infinity : this.#run.candidates.wakeAtMs;
    const at = Math.min(this.#links.wakeAtMs, this.#backlogs.wakeAtMs, triedAtMs);
    return at === Infinity ? null : at;
  }

  /**
   * True if enough jobs wait on the machine for whatever slot is free next: `ended` ends there need not be dealt with
   * at once.
   */
  hasStock(machine: string, ended: number): boolean {
    return this.#backlogs.hasStock(machine, ended);
  }

  /** Numbers so far. */
  progress(): Progress {
    const { inFlight, outcomes, candidates, jobs } = this.#run;
    const { done, failed } = outcomes.counts();
    return {
      done,
      failed,
      running: inFlight.running,
      total: done + inFlight.open + candidates.waiting(jobs) + candidates.aside.size,
    };
  }

  /** The result as it stands; final after the effect `finish`. */
  result(): RunResult {
    const summary = this.#run.outcomes.summary();
    const { jobs } = this.#run;
    const skipped = [...this.#skipped].filter((name) => isWaiting(jobs.get(name)?.status ?? "end"));
    const left = this.#stopping || this.#noHosts ? [] : this.#run.candidates.left(jobs);
    const isIdle = summary.ran.length + summary.failed.length + skipped.length + left.length === 0;
    return {
      ...summary,
      skipped,
      idle: isIdle ? countStates(jobs) : null,
      outcome: this.#noHosts ? "no_hosts" : this.#halted ? "halted" : this.#stopping ? "stopped" : "done",
      left,
      running: this.#run.inFlight.names(),
      waiting: this.#run.inFlight.waiting + this.#run.candidates.waiting(jobs) + this.#run.candidates.aside.size,
    };
  }

  /** For the invariants that tests and the simulation check after each step. */
  inspect(): { slots: Slots; machines: Machines; running: number } {
    return { slots: this.#run.slots, machines: this.#run.machines, running: this.#run.inFlight.running };
  }

  #take(event: Exclude<CoreEvent, { type: "stood_still" }>): void {
    const run = this.#run;
    switch (event.type) {
      case "begin":
        this.#began = true;
        this.#attempts.begin();
        this.#links.begin();
        this.#foresee(run.jobs.keys());
        break;
      case "external":
        for (const attempt of event.undone ?? []) this.#attempts.undo(attempt);
        this.#attempts.forgetEnds([...event.external.put, ...event.external.changed, ...event.external.deleted]);
        run.candidates.apply(event.external, run.jobs);
        run.candidates.putBack(
          (event.undone ?? []).map(({ job }) => job).filter((name) => run.jobs.has(name)),
          run.jobs,
        );
        this.#foresee(event.external.put);
        for (const name of event.external.changed) this.#attempts.changed(name);
        for (const name of event.external.kill) this.#attempts.wantKill(name);
        this.#backlogs.jobsChanged(event.external.changed);
        this.#hints.drop(event.external.deleted);
        break;
      case "hosts":
        run.slots.setHosts(run.machines.named(event.hosts));
        this.#backlogs.hostsChanged();
        this.#links.hostsChanged();
        break;
      case "link_up":
        this.#links.up(event.machine, event.boot);
        break;
      case "same_machine":
        this.#links.same(event.machine, event.as);
        break;
      case "connect_failed":
        this.#links.connectFailed(event.machine, event.reason, event.lasting);
        break;
      case "link":
        this.#fromLink(event.machine, event.event);
        break;
      case "answer":
        for (const answer of event.states) {
          this.#withAttempt(answer, (one) => this.#attempts.learn(one, answer.state));
        }
        this.#links.lookForReaper(event.machine, event.states.map(({ state }) => state));
        this.#links.answered(event.machine);
        break;
      case "recalled":
        event.attempts.forEach((attempt, i) =>
          this.#withAttempt(attempt, (one) => this.#recalled(one, event.states?.[i]))
        );
        break;
      case "stage_failed":
        this.#withAttempt(event, (one) => this.#attempts.failed(one, event.reason, false));
        break;
      case "stop":
        if (!this.#stopping) report(run, { type: "stopping", running: run.inFlight.running, signal: event.signal });
        this.#stopping = true;
        break;
      case "pause":
        if (this.#paused !== event.isPaused) report(run, event);
        this.#paused = event.isPaused;
        break;
      case "tick":
        this.#links.askAgain();
        break;
      default:
        event satisfies never;
    }
  }

  #fromLink(machine: string, event: LinkEvent): void {
    switch (event.type) {
      case "started":
        return this.#withAttempt(event, (one) => this.#attempts.started(one, event.pid, event.atMs));
      case "ended":
        return this.#withAttempt(
          event,
          (one) => this.#attempts.end(one, { ...event, endedAtMs: event.atMs, ...whyOf(event) }, event.gaveBack),
        );
      case "refused":
        return this.#withAttempt(
          event,
          (one) => this.#attempts.failed(one, event.reason, event.gaveBack === true),
        );
      case "known":
        return this.#withAttempt(event, (one) => this.#attempts.met(one, event.state, event.gaveBack));
      case "no_backlog":
        return this.#backlogs.unable(machine, event.number);
      case "round_trip": {
        const state = this.#run.machines.get(machine);
        if (state !== undefined) state.roundTripMs = Math.min(event.ms, state.roundTripMs ?? Infinity);
        return this.#backlogs.machineChanged(machine);
      }
      case "reused":
        return this.#withAttempt(
          event,
          ({ job, shown }) => {
            // A further try finds the directory of the one before, as it should.
            if (tryNumber(this.#run.jobs.get(job) ?? {}) > 1) return;
            report(this.#run, { type: "directory_present", job, machine: shown });
          },
        );
      case "notice":
        return this.#links.notice(machine, event.text);
      case "beside":
        return this.#withAttempt(event, (one) => this.#attempts.beside(one, event.directory));
      case "down":
        return this.#links.down(machine, event.reason);
      default:
        event satisfies never;
    }
  }

  /** Considers jobs in file order until one has to wait. */
  #consider(): void {
    const { jobs, candidates, slots, machines, inFlight } = this.#run;
    if (!this.#links.isSettled()) return;
    let startedAny = false;
    while (this.#hasMore()) {
      const name = candidates.peek(jobs, this.#run.nowMs)!;
      const job = jobs.get(name)!;
      const placement = this.#policy.place(job, { slots, machines, running: inFlight.running });
      switch (placement.type) {
        case "wait": {
          if (placement.need !== null) this.#links.need(placement.need);
          if (placement.full === null) return;
          if (startedAny) report(this.#run, { type: "waiting", slots: placement.full });
          startedAny = false;
          const host = this.#backlogs.next(candidates.waiting(jobs));
          if (host === null) return;
          if (this.#attempts.leaveOld(name)) continue;
          candidates.take(name, jobs);
          const { machine, id: slot, gpu, pyenv } = host;
          this.#attempts.start(job, { type: "place", machine, slot, gpu, pyenv }, true);
          this.#hints.started(name);
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
          this.#attempts.failStart(job, placement);
          break;
        case "place":
          if (this.#attempts.leaveOld(name)) continue;
          candidates.take(name, jobs);
          this.#skipped.delete(name);
          this.#attempts.start(job, placement);
          this.#hints.started(name);
          startedAny = true;
          break;
        default:
          placement satisfies never;
      }
    }
  }

  /** True if a job may still be considered in this run. */
  #hasMore(): boolean {
    const { candidates, jobs, nowMs } = this.#run;
    return !this.#stopping && !this.#noHosts && !this.#paused && candidates.peek(jobs, nowMs) !== null;
  }

  /** True if the run has only to wait: for the time of a next try, or for the end of a pause. */
  #isPatient(): boolean {
    const { candidates, jobs, nowMs } = this.#run;
    if (this.#stopping || this.#noHosts) return false;
    if (candidates.wakeAtMs < Infinity) return true;
    return this.#paused && candidates.peek(jobs, nowMs) !== null;
  }

  /** Halts the run if so many jobs are over as it waits for. */
  #maybeHalt(halt: Halt): void {
    const { done, failed, dependents } = this.#run.outcomes.counts();
    const own = done - dependents;
    const counts = { fail: failed - dependents, success: done - failed, done: own, total: this.progress().total };
    if (!isHaltDue(halt, counts)) return;
    this.#stopping = true;
    this.#halted = true;
    const { inFlight } = this.#run;
    report(this.#run, { type: "halt", halt, count: counts[halt.why], running: inFlight.running });
    if (halt.when === "now") { for (const name of inFlight.names()) this.#attempts.wantKill(name); }
  }

  /** Ends jobs that can never start. */
  #failDoomed(): void {
    const { candidates, jobs } = this.#run;
    for (const { job, reason } of candidates.takeDoomed()) {
      const own = jobs.get(job);
      if (own !== undefined && isWaiting(own.status)) {
        this.#attempts.failStart(own, { machine: "", reason, isDependent: true });
      }
    }
  }

  /** Recalls what waits on hosts for a slot where a job of higher priority waits here. */
  #letPass(): void {
    const { candidates, jobs, inFlight, nowMs } = this.#run;
    if (inFlight.waiting === 0 || !this.#hasMore()) return;
    this.#backlogs.letPass(jobs.get(candidates.peek(jobs, nowMs)!)?.priority ?? 0);
  }

  /** Opens links early where the policy knows which machine a job will need. */
  #foresee(names: Iterable<JobName>): void {
    for (const name of names) {
      const job = this.#run.jobs.get(name);
      const waits = job !== undefined && isWaiting(job.status);
      const machine = waits ? this.#policy.foresee(job, this.#run.slots) : null;
      if (machine !== null) this.#links.need(machine);
    }
  }

  /** The fate of an attempt that was recalled. */
  #recalled(one: InFlight, state: AttemptState | undefined): void {
    if (!isRecalled(one)) return;
    one.question = null;
    // `claimed`: its host is just letting it in, and will say so; or the claim could not be made (a full disk).
    const known = state ?? { type: "claimed" };
    if (known.type === "claimed" && backlogOf(one) !== null && ++one.timesAsked <= ASK_LIMIT) {
      return this.#backlogs.notRecalled(one);
    }
    this.#attempts.learn(one, known);
  }

  #withAttempt({ job, attempt }: AttemptRef, act: (one: InFlight) => void): void {
    const one = this.#run.inFlight.of(job, attempt);
    if (one !== undefined) act(one);
  }
}

function countStates(jobs: Jobs): Partial<Record<JobState, number>> {
  const counts: Partial<Record<JobState, number>> = {};
  for (const { status } of jobs.values()) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
