/**
 * The scheduler's core: (state, event) -> state, effects. It decides and never waits, reads no clock and no file; the caller
 * gives the time and the queue's jobs, commits the `change` effects of a step, and only then carries out the rest.
 *
 * The rules it keeps (docs/architecture.md, "What must never break"): a start is decided once and written down before it is
 * sent; slots and `max_parallel` are never exceeded; jobs start in file order; a job is looked at when it is considered, not
 * before; a state moves only as `job/states.ts` allows.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { isGivenUp, type Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { AttemptState, LinkEvent } from "../link/link.ts";
import type { Jobs } from "../store/changes.ts";
import { Ahead } from "./ahead.ts";
import { ASK_LIMIT, Attempts } from "./attempts.ts";
import { Candidates } from "./candidates.ts";
import { report, type RunContext } from "./context.ts";
import type { Attempt, CoreEvent, Effect } from "./events.ts";
import { type Flight, Flights } from "./flights.ts";
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
  /** True if a killed job counts as completed (fifo_multi, as the original has it). */
  readonly killCompletes: boolean;
}

/** One run. Feed it events with {@link Core.step}. */
export class Core {
  readonly #policy: Policy;
  readonly #run: RunContext;
  readonly #attempts: Attempts;
  readonly #links: Links;
  readonly #ahead: Ahead;
  #began = false;
  #stopping = false;
  #noHosts = false;
  #finished = false;

  /** @param jobs A live view of the queue, up to date at each step. */
  constructor(options: CoreOptions, jobs: Jobs) {
    this.#policy = options.policy;
    const inFlight: JobName[] = [];
    const inherited: Job[] = [];
    for (const job of jobs.values()) {
      if (isInFlight(job.status)) inFlight.push(job.name);
      if (isInFlight(job.status) || isGivenUp(job)) inherited.push(job);
    }
    this.#run = {
      jobs,
      machines: new Machines(),
      flights: new Flights(),
      slots: new Slots(options.hosts),
      candidates: new Candidates(jobs, inFlight),
      outcomes: new Outcomes(options.killCompletes),
      timeoutMs: options.timeoutMs,
      nowMs: 0,
      effects: [],
    };
    this.#attempts = new Attempts(this.#run);
    this.#links = new Links(this.#run, this.#attempts);
    this.#ahead = new Ahead(this.#run, this.#policy);
    for (const job of inherited) this.#attempts.inherit(job);
  }

  /** Takes in one event; returns what is to be done, in order. */
  step(event: CoreEvent, nowMs: number): Effect[] {
    const run = this.#run;
    run.effects = [];
    run.nowMs = nowMs;
    // What was decided last may have been undone: then there is more to do.
    if (event.type === "news" && (event.undone ?? []).length > 0) this.#finished = false;
    if (this.#finished) return run.effects;
    if (event.type === "stood_still") {
      // Nothing is decided now: what others did meanwhile is told next.
      this.#links.stoodStill(event.ms);
      return run.effects;
    }
    this.#attempts.takeReturned();
    this.#take(event);
    // Starts and ends, the many events, change nothing about the machines.
    const isAboutMachines = event.type !== "link" || event.event.type === "down";
    if (this.#began && isAboutMachines) {
      this.#links.open(this.#hasMore());
      this.#links.giveUpSilent();
      if (this.#links.isHopeless(this.#hasMore())) this.#noHosts = true;
    }
    if (this.#began) this.#consider();
    const more = this.#hasMore();
    if (this.#stopping || this.#noHosts) this.#attempts.lines.recallAll();
    this.#attempts.lines.tick(more);
    if (more) this.#ahead.prepare();
    else this.#ahead.dropAll();
    if (this.#began && run.flights.open === 0 && !more && !this.#attempts.hasReturned) {
      this.#finished = true;
      run.effects.push({ type: "finish" });
    }
    return run.effects;
  }

  /** When to send `tick` at the latest, epoch ms; null for never. */
  get wakeAtMs(): number | null {
    if (this.#attempts.hasReturned) return this.#run.nowMs;
    const at = Math.min(this.#links.wakeAtMs, this.#attempts.lines.wakeAtMs);
    return at === Infinity ? null : at;
  }

  /** True if enough jobs wait on the machine for whatever slot is free next: `ended` ends there need not be dealt with at once. */
  hasStock(machine: string, ended: number): boolean {
    return this.#attempts.lines.hasStock(machine, ended);
  }

  /** Numbers so far. */
  progress(): Progress {
    const { flights, outcomes, candidates, jobs } = this.#run;
    const { done, failed } = outcomes.counts();
    return { done, failed, running: flights.running, total: done + flights.open + candidates.waiting(jobs) };
  }

  /** The result as it stands; final after the effect `finish`. */
  result(): RunResult {
    const isAhead = (job: JobName): boolean => this.#run.flights.get(job)?.ahead === true;
    const { ran, ...rest } = this.#run.outcomes.summary();
    return {
      ran: ran.filter((job) => !isAhead(job)),
      ...rest,
      outcome: this.#noHosts ? "no_hosts" : this.#stopping ? "stopped" : "done",
      running: this.#run.flights.names(),
      waiting: this.#run.flights.ahead + this.#run.candidates.waiting(this.#run.jobs),
    };
  }

  /** For the invariants that tests and the simulation check after each step. */
  inspect(): { slots: Slots; machines: Machines; running: number } {
    return { slots: this.#run.slots, machines: this.#run.machines, running: this.#run.flights.running };
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
      case "news":
        for (const attempt of event.undone ?? []) this.#attempts.undo(attempt);
        run.candidates.apply(event.news, run.jobs);
        run.candidates.putBack(
          (event.undone ?? []).map(({ job }) => job).filter((name) => run.jobs.has(name)),
          run.jobs,
        );
        this.#foresee(event.news.put);
        for (const name of event.news.kill) this.#attempts.wantKill(name);
        this.#ahead.drop(event.news.deleted);
        break;
      case "hosts":
        run.slots.setHosts(event.hosts);
        this.#attempts.lines.hostsChanged();
        this.#links.hostsChanged();
        break;
      case "link_up":
        this.#links.up(event.machine, event.boot);
        break;
      case "connect_failed":
        this.#links.connectFailed(event.machine, event.reason, event.lasting);
        break;
      case "link":
        this.#fromLink(event.machine, event.event);
        break;
      case "answer":
        for (const answer of event.states) {
          this.#withFlight(answer, (flight) => this.#attempts.learn(flight, answer.state));
        }
        this.#links.answered(event.machine);
        break;
      case "recalled":
        event.attempts.forEach((attempt, i) =>
          this.#withFlight(attempt, (flight) => this.#recalled(flight, event.states?.[i]))
        );
        break;
      case "stage_failed":
        this.#withFlight(event, (flight) => this.#attempts.failed(flight, event.reason, false));
        break;
      case "stop":
        if (!this.#stopping) report(run, { type: "stopping", running: run.flights.running, signal: event.signal });
        this.#stopping = true;
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
        return this.#withFlight(event, (flight) => this.#attempts.started(flight, event.pid, event.atMs));
      case "ended":
        return this.#withFlight(
          event,
          (flight) => this.#attempts.land(flight, { ...event, endedAtMs: event.atMs, reason: null }, event.gaveBack),
        );
      case "refused":
        return this.#withFlight(
          event,
          (flight) => this.#attempts.failed(flight, event.reason, event.gaveBack === true),
        );
      case "known":
        return this.#withFlight(event, (flight) => this.#attempts.met(flight, event.state, event.gaveBack));
      case "no_line":
        return this.#attempts.lines.unable(machine, event.line);
      case "round_trip": {
        const state = this.#run.machines.get(machine);
        if (state !== undefined) state.roundTripMs = Math.min(event.ms, state.roundTripMs ?? Infinity);
        return this.#attempts.lines.machineChanged(machine);
      }
      case "reused":
        return this.#withFlight(
          event,
          ({ job, shown }) => report(this.#run, { type: "directory_present", job, machine: shown }),
        );
      case "down":
        return this.#links.down(machine, event.reason);
      default:
        event satisfies never;
    }
  }

  /** Considers jobs in file order until one has to wait. */
  #consider(): void {
    const { jobs, candidates, slots, machines, flights } = this.#run;
    if (!this.#links.isSettled()) return;
    let startedAny = false;
    while (this.#hasMore()) {
      const name = candidates.peek(jobs)!;
      const job = jobs.get(name)!;
      const placement = this.#policy.place(job, { slots, machines, running: flights.running });
      switch (placement.type) {
        case "wait": {
          if (placement.need !== null) this.#links.need(placement.need);
          if (placement.full === null) return;
          if (startedAny) report(this.#run, { type: "waiting", slots: placement.full });
          startedAny = false;
          const host = this.#attempts.lines.next(candidates.waiting(jobs));
          if (host === null) return;
          if (this.#attempts.leaveOld(name)) continue;
          candidates.take(name, jobs);
          const { machine, id: slot, gpu, pyenv } = host;
          this.#attempts.start(job, { type: "place", machine, slot, gpu, pyenv }, true);
          this.#ahead.started(name);
          break;
        }
        case "skip":
          candidates.take(name, jobs);
          if (placement.tell) report(this.#run, { type: "skipped", job: name });
          break;
        case "fail":
          candidates.take(name, jobs);
          this.#attempts.failStart(job, placement);
          break;
        case "place":
          if (this.#attempts.leaveOld(name)) continue;
          candidates.take(name, jobs);
          this.#attempts.start(job, placement);
          this.#ahead.started(name);
          startedAny = true;
          break;
        default:
          placement satisfies never;
      }
    }
  }

  /** True if a job may still be considered in this run. */
  #hasMore(): boolean {
    return !this.#stopping && !this.#noHosts && this.#run.candidates.peek(this.#run.jobs) !== null;
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

  /** What became of an attempt that was called back. */
  #recalled(flight: Flight, state: AttemptState | undefined): void {
    if (!flight.recalled) return;
    flight.recalled = false;
    // `claimed`: it is being let in, and tells so itself; or the claim could not be made (a full disk).
    const known = state ?? { type: "claimed" };
    if (known.type === "claimed" && flight.line !== null && ++flight.asked <= ASK_LIMIT) {
      return this.#attempts.lines.notRecalled(flight);
    }
    this.#attempts.learn(flight, known);
  }

  #withFlight(attempt: Attempt, act: (flight: Flight) => void): void {
    const flight = this.#run.flights.of(attempt.job, attempt.attempt);
    if (flight !== undefined) act(flight);
  }
}
