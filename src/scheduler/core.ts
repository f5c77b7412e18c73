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

import type { JobName } from "../names/grammar.ts";
import { isGivenUp, type Job } from "../job/job.ts";
import { isInFlight } from "../job/states.ts";
import type { Jobs } from "../store/changes.ts";
import { Answers } from "./answers.ts";
import { Attempts } from "./attempts.ts";
import { Away } from "./away.ts";
import { Backlogs } from "./backlogs.ts";
import { Candidates } from "./candidates.ts";
import { report, type RunContext } from "./context.ts";
import type { CoreEvent, Effect } from "./events.ts";
import { Demand } from "./demand.ts";
import { DirectoryHints } from "./directory_hints.ts";
import { GpuWatch } from "./gpu_watch.ts";
import { Endings } from "./endings.ts";
import type { Halt } from "./halt.ts";
import { Handout } from "./handout.ts";
import { InFlightSet } from "./in_flight_set.ts";
import { LinkEvents } from "./link_events.ts";
import { Links } from "./links.ts";
import { Lost } from "./lost.ts";
import { Machines } from "./machines.ts";
import { Nodes } from "./nodes.ts";
import { countStates, Outcomes } from "./outcomes.ts";
import type { Policy } from "./policies.ts";
import type { Progress, RunResult } from "./report.ts";
import { Returns } from "./returns.ts";
import type { SlotHost } from "./slot_host.ts";
import { Slots } from "./slots.ts";

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
  /** Name of the queue, for its jobs. */
  readonly queue?: string;
}

/** One run. Feed it events with {@link Core.step}. */
export class Core {
  readonly #run: RunContext;
  readonly #attempts: Attempts;
  readonly #answers: Answers;
  readonly #away: Away;
  readonly #lost: Lost;
  readonly #handout: Handout;
  readonly #returns: Returns;
  readonly #links: Links;
  readonly #linkEvents: LinkEvents;
  readonly #backlogs: Backlogs;
  readonly #hints: DirectoryHints;
  readonly #gpus: GpuWatch;
  readonly #nodes: Nodes;
  #began = false;
  readonly #halt: Halt | null;
  #finished = false;
  /** When something is due, as the last step left it; undefined until somebody asks. */
  #dueAtMs: number | undefined;

  /** @param jobs A live view of the queue, up to date at each step. */
  constructor(options: CoreOptions, jobs: Jobs) {
    this.#halt = options.halt ?? null;
    const inFlight: JobName[] = [];
    const inherited: Job[] = [];
    const tried: Job[] = [];
    for (const job of jobs.values()) {
      if (isInFlight(job.status)) inFlight.push(job.name);
      if (isInFlight(job.status) || isGivenUp(job)) inherited.push(job);
      if (job.history) tried.push(job);
    }
    this.#run = {
      jobs,
      machines: new Machines(),
      inFlight: new InFlightSet(),
      slots: new Slots(options.hosts, options.timeLimit ?? null),
      candidates: new Candidates(jobs, inFlight),
      outcomes: new Outcomes(),
      timeoutMs: options.timeoutMs,
      timeLimit: options.timeLimit ?? null,
      queue: options.queue ?? "",
      nowMs: 0,
      wallAheadMs: 0,
      effects: [],
    };
    this.#run.candidates.needsOf = (job) => this.#run.slots.needsOf(job);
    this.#backlogs = new Backlogs(this.#run);
    this.#returns = new Returns(this.#run);
    const endings = new Endings(this.#run, { returns: this.#returns, backlogs: this.#backlogs });
    this.#away = new Away(this.#run, this.#backlogs);
    this.#lost = new Lost(this.#run);
    const lost = this.#lost;
    const parts = { backlogs: this.#backlogs, endings, returns: this.#returns, away: this.#away, lost };
    this.#attempts = new Attempts(this.#run, parts);
    this.#answers = new Answers(this.#run, { ...parts, attempts: this.#attempts });
    this.#links = new Links(this.#run, { attempts: this.#attempts, backlogs: this.#backlogs, lost });
    this.#nodes = new Nodes(this.#run, { lost, links: this.#links });
    this.#hints = new DirectoryHints(this.#run, options.policy);
    this.#gpus = new GpuWatch(this.#run);
    const all = { ...parts, attempts: this.#attempts, answers: this.#answers, links: this.#links, hints: this.#hints };
    this.#linkEvents = new LinkEvents(this.#run, all);
    this.#handout = new Handout(this.#run, { ...all, gpus: this.#gpus, policy: options.policy });
    for (const job of inherited) this.#attempts.inherit(job);
    for (const job of tried) lost.inherit(job);
  }

  /** Takes in one event; returns what is to be done, in order. */
  step(event: CoreEvent, nowMs: number): Effect[] {
    const run = this.#run;
    const handout = this.#handout;
    run.effects = [];
    run.nowMs = nowMs;
    this.#dueAtMs = undefined;
    if (event.type === "wall_clock") {
      run.wallAheadMs = run.candidates.wallAheadMs = event.aheadMs;
      return run.effects;
    }
    if (event.type === "stood_still") {
      // Nothing is decided now: what others did meanwhile comes next.
      this.#links.stoodStill(event.ms);
      return run.effects;
    }
    // There may be more to do: something was added, or what was decided last was undone.
    if (event.type === "external") this.#finished = false;
    if (this.#finished) {
      // It counts for jobs that are added before the end is written, and what was given up may get another try.
      this.#take(event);
      this.#finished = !this.#returns.isPending;
      return run.effects;
    }
    this.#returns.take();
    this.#take(event);
    this.#away.report();
    if (this.#halt !== null && !handout.isStopping) handout.maybeHalt(this.#halt, this.progress().total);
    this.#nodes.leave();
    // Starts and ends, the many events, change nothing about the machines.
    const isAboutMachines = event.type !== "link" || event.event.type === "down";
    if (this.#began && isAboutMachines) {
      this.#links.open(handout.hasMore);
      this.#links.giveUpSilent();
      if (this.#links.isHopeless(handout.hasMore, handout.couldUse())) handout.hasNoHosts = true;
    }
    this.#gpus.tick();
    if (this.#began) handout.handOut();
    const more = handout.hasMore;
    if (handout.isEnding || handout.isPaused) this.#backlogs.recallAll();
    this.#backlogs.tick(more);
    if (more) this.#hints.prepare();
    else this.#hints.dropAll();
    if (this.#began && run.inFlight.open === 0 && !more && !this.#returns.isPending && !handout.isPatient) {
      this.#finished = true;
      this.#lost.finish();
      run.effects.push({ type: "finish" });
    }
    return run.effects;
  }

  /** True when nothing is left to do; what others add makes it false again. */
  get isFinished(): boolean {
    return this.#finished;
  }

  /** A machine silent for this long is given up. */
  get timeoutMs(): number {
    return this.#run.timeoutMs;
  }

  /** When to send `tick` at the latest, epoch ms; null for never. */
  get wakeAtMs(): number | null {
    const at = this.#dueAtMs ??= this.#nextAtMs();
    return at === Infinity ? null : at;
  }

  #nextAtMs(): number {
    if (this.#returns.isPending) return this.#run.nowMs;
    const { isEnding, isPaused } = this.#handout;
    const triedAtMs = isEnding || isPaused ? Infinity : this.#run.candidates.wakeAtMs;
    const gpusAtMs = isEnding || isPaused ? Infinity : this.#gpus.wakeAtMs;
    return Math.min(this.#links.wakeAtMs, this.#backlogs.wakeAtMs, triedAtMs, gpusAtMs);
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
    const handout = this.#handout;
    const skipped = handout.skipped();
    const left = handout.isEnding ? [] : this.#run.candidates.left(jobs);
    const isIdle = summary.ran.length + summary.failed.length + skipped.length + left.length === 0;
    return {
      ...summary,
      skipped,
      idle: isIdle ? countStates(jobs) : null,
      outcome: handout.outcome,
      left,
      running: this.#run.inFlight.names(),
      waiting: this.#run.inFlight.waiting + this.#run.candidates.waiting(jobs) + this.#run.candidates.aside.size,
    };
  }

  /** What those have to know who bring hosts, and take them away. */
  demand(): Demand {
    return new Demand(this.#run, this.#handout);
  }

  /** For the invariants that tests and the simulation check after each step. */
  inspect(): { slots: Slots; machines: Machines; running: number } {
    return { slots: this.#run.slots, machines: this.#run.machines, running: this.#run.inFlight.running };
  }

  #take(event: Exclude<CoreEvent, { type: "stood_still" | "wall_clock" }>): void {
    const run = this.#run;
    switch (event.type) {
      case "begin":
        this.#began = true;
        this.#attempts.begin();
        this.#links.begin();
        this.#handout.foresee(run.jobs.keys());
        break;
      case "external":
        for (const attempt of event.undone ?? []) this.#attempts.undo(attempt);
        this.#returns.forgetEnds([...event.external.put, ...event.external.changed, ...event.external.deleted]);
        run.candidates.apply(event.external, run.jobs);
        run.candidates.putBack(
          (event.undone ?? []).map(({ job }) => job).filter((name) => run.jobs.has(name)),
          run.jobs,
        );
        this.#handout.foresee(event.external.put);
        for (const name of event.external.changed) this.#attempts.changed(name);
        for (const name of event.external.kill) this.#attempts.wantKill(name);
        this.#backlogs.jobsChanged(event.external.changed);
        this.#hints.drop(event.external.deleted);
        break;
      case "hosts":
        run.slots.setHosts(run.machines.named(event.hosts));
        run.candidates.hostsChanged(run.jobs);
        this.#backlogs.hostsChanged();
        this.#links.hostsChanged();
        break;
      case "link_up":
        this.#links.up(event.machine, event.boot);
        break;
      case "links_closed":
        this.#links.closed();
        break;
      case "same_machine":
        this.#links.same(event.machine, event.as);
        break;
      case "connect_failed":
        this.#links.connectFailed(event.machine, event.reason, event.lasting);
        break;
      case "gpus":
        this.#gpus.answered(event.machine, event.use, event.reason);
        break;
      case "link":
        if (event.event.type === "down") this.#gpus.forget(event.machine);
        this.#linkEvents.take(event.machine, event.event);
        break;
      case "answer":
        for (const answer of event.states) {
          this.#run.inFlight.with(answer, (one) => this.#answers.learn(one, answer.state));
          this.#lost.answer(answer, answer.state);
        }
        this.#links.lookForReaper(event.machine, event.states.map(({ state }) => state));
        if (!event.isUnasked) this.#links.answered(event.machine);
        break;
      case "recalled":
        event.attempts.forEach((attempt, i) =>
          this.#run.inFlight.with(attempt, (one) => this.#answers.recalled(one, event.states?.[i]))
        );
        break;
      case "stage_failed":
        this.#run.inFlight.with(event, (one) => this.#attempts.failed(one, event.reason, false));
        break;
      case "stop":
        if (!this.#handout.isStopping) {
          report(run, { type: "stopping", running: run.inFlight.running, signal: event.signal });
        }
        this.#handout.isStopping = true;
        break;
      case "pause":
        if (this.#handout.isPaused !== event.isPaused) report(run, event);
        this.#handout.isPaused = event.isPaused;
        break;
      case "tick":
        this.#links.askAgain();
        break;
      default:
        event satisfies never;
    }
  }
}
