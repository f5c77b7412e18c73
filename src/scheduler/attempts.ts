/**
 * What becomes of an attempt: from the decision to start it to its end, and what to believe of one that nobody watched for a
 * while. Part of the core; pure but for the context that it changes.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { attemptId, isGivenUp, isoSeconds, type Job, type JobFields } from "../job/job.ts";
import { isInFlight, type JobState, mayMove, waitingState } from "../job/states.ts";
import { type Machine, machineKey, machineText, parseMachine } from "../cluster/machine.ts";
import type { AttemptState } from "../link/link.ts";
import { report, type RunContext } from "./context.ts";
import type { Attempt } from "./events.ts";
import { type Flight, isOf } from "./flights.ts";
import { Lines } from "./lines.ts";
import { startRequest } from "./start_request.ts";
import type { Placement } from "./policies.ts";

/** Pause before asking again about an attempt that was just being claimed. */
const ASK_AGAIN_MS = 1_000;
/** It is given up when it was asked about so often: its host can neither start it nor forbid it, for ten minutes or longer. */
export const ASK_LIMIT = 600;

/** How an attempt ends. `reason`: why, where it did not end by itself. */
interface Ending {
  readonly state: "end" | "kill" | "crash" | "fail_start";
  readonly exitCode: number | null;
  readonly endedAtMs: number | null;
  readonly reason: string | null;
  /** Its host does not know that it ended so: only the record says it. */
  readonly isOurs?: true;
}

/** Of an end that nobody saw. */
const UNSEEN = { exitCode: null, endedAtMs: null, reason: null } as const;

/** A job that is not in flight holds nothing. */
const NO_PLACE = { boot: null, slot: null } as const satisfies JobFields;

/** The lives of attempts. */
export class Attempts {
  readonly #run: RunContext;
  /** Where jobs that were sent ahead wait. */
  readonly lines: Lines;
  /** Jobs that were proved not to have been started: candidates again from the next step on, when the change is written. */
  #returned: JobName[] = [];
  /** In flight when the run began, on a host that cannot be named. */
  readonly #lost: Job[] = [];

  constructor(run: RunContext) {
    this.#run = run;
    this.lines = new Lines(run, (flight) => this.#tellStart(flight));
  }

  /** Takes over a job that was in flight when the run began, or that an earlier run gave up: it may still run and take a slot. */
  inherit(job: Job): void {
    const { machines, slots, flights } = this.#run;
    let machine: Machine;
    try {
      machine = parseMachine(job.user ? `${job.user}@${job.host ?? ""}` : job.host ?? "");
    } catch {
      if (!isGivenUp(job)) this.#lost.push(job); // Nothing can be asked about it; `reset` deals with it.
      return;
    }
    const offered = slots.hosts.find((host) => machineKey(host.machine) === machineKey(machine));
    const state = machines.of(offered?.machine ?? machine);
    const flight: Flight = {
      job: job.name,
      attempt: attemptId(job),
      machine: state.key,
      shown: machineText(machine),
      boot: job.boot,
      request: null,
      phase: "inherited",
      startedAtMs: null,
      killWanted: false,
      line: null,
      ahead: false,
      recalled: false,
      sinceMs: 0,
      again: false,
      claimed: false,
      asked: 0,
      told: true,
    };
    flights.add(flight);
    if (isGivenUp(job)) flights.setLost(flight, true);
    else slots.adopt(job.name, state.key, job.slot);
  }

  /** The run begins: tells of the jobs that it cannot take over. */
  begin(): void {
    for (const { name, status, host } of this.#lost.splice(0)) {
      const text = `Job ${name} is ${status} on no host that can be asked (${JSON.stringify(host)}): ` +
        `it is left alone; cms queue reset --name=${name} ends that`;
      report(this.#run, { type: "warning", text });
    }
  }

  /**
   * The job of this name is to be started, and one of the same name is in flight: it was deleted while its host did not answer, and another
   * was added since. The old one counts no more, as little as one whose job is gone when a run begins.
   * @returns True if there was one: its slot is free, its line is over, and the place for the new one must be chosen anew.
   */
  leaveOld(name: JobName): boolean {
    const old = this.#run.flights.get(name);
    if (old === undefined || old.phase === "lost") return false;
    this.#leave(old, false, null);
    return true;
  }

  /** Decides a start: the change is durable before the request is sent. `ahead`: it takes no slot yet, but waits for one there. */
  start(job: Job, place: Extract<Placement, { type: "place" }>, ahead = false): void {
    const { machines, slots, flights, outcomes, effects } = this.#run;
    const state = machines.of(place.machine);
    const attempt = job.attempt + 1;
    const line = place.slot === null ? null : this.lines.join(place.slot, ahead);
    const request = startRequest(job, attempt, { ...place, line: line?.number ?? null });
    const flight: Flight = {
      job: job.name,
      attempt: request.attempt,
      machine: state.key,
      shown: machineText(place.machine),
      boot: state.boot,
      request,
      phase: "sent",
      startedAtMs: null,
      killWanted: false,
      line,
      ahead,
      recalled: false,
      sinceMs: this.#run.nowMs,
      again: false,
      claimed: false,
      asked: 0,
      told: false,
    };
    if (place.slot !== null && !ahead) slots.take(job.name, place.slot);
    flights.add(flight);
    outcomes.begin(job.name);
    this.lines.sent(flight);
    this.#move(flight, "run", {
      ...(place.slot === null ? {} : { user: place.machine.user, host: place.machine.name }),
      attempt,
      boot: state.boot,
      slot: place.slot,
      pid: null,
      exit_code: null,
      started: null,
      ended: null,
    }, true);
    if (!ahead) this.#tellStart(flight);
    effects.push({ type: "start", machine: state.key, request, again: false });
  }

  /** A job has its slot. */
  #tellStart(flight: Flight): void {
    if (flight.told) return;
    flight.told = true;
    const { flights } = this.#run;
    const machine = flight.shown;
    report(this.#run, { type: "starting", job: flight.job, machine, running: flights.names() });
  }

  /** A start that fails before anything is sent: no slot was taken. */
  failStart(job: Job, fail: Extract<Placement, { type: "fail" }>): void {
    const fields: JobFields = { status: "fail_start", pid: null, exit_code: null, started: null, ended: null };
    this.#run.effects.push({ type: "change", change: { type: "set", job: job.name, fields }, of: job, durable: true });
    this.#tellEnd(job.name, fail.machine, {
      state: "fail_start",
      exitCode: null,
      reason: fail.reason,
      elapsedMs: null,
    });
  }

  /** What was decided about this attempt could not be written, and its job is another now: it counts as if it had never been. */
  undo({ job, attempt }: Attempt): void {
    const { flights, outcomes } = this.#run;
    outcomes.retract(job);
    outcomes.forget(job);
    const flight = flights.of(job, attempt);
    if (flight !== undefined) this.#leave(flight, false, null);
  }

  /** The host says that the attempt runs. */
  started(flight: Flight, pid: number, startedAtMs: number | null): void {
    const { flights, outcomes, slots } = this.#run;
    flight.startedAtMs = startedAtMs;
    if (flight.phase === "lost") {
      flights.setLost(flight, false); // Given up too early: it runs, so it takes a slot again.
      outcomes.retract(flight.job);
      slots.adopt(flight.job, flight.machine, this.#run.jobs.get(flight.job)?.slot ?? null);
      this.lines.doubt(flight.machine);
    }
    flight.phase = "started";
    this.lines.started(flight);
    this.#tellStart(flight);
    outcomes.ran(flight.job);
    const started = startedAtMs === null ? {} : { started: isoSeconds(startedAtMs) };
    this.#move(flight, "start", { pid: String(pid), ...started });
    if (flight.killWanted) this.kill(flight);
  }

  /** The attempt is over; its slot is free. `gaveBack`: the host has said that it is free in its line too. */
  land(flight: Flight, end: Ending, gaveBack = false): void {
    this.#tellStart(flight);
    // A lost one counts as crashed already; now it is one for certain.
    const known = flight.phase === "lost" && end.state === "crash";
    if (known) this.#move(flight, end.state, { exit_code: end.exitCode, ...NO_PLACE });
    else this.#end(flight, end, NO_PLACE);
    const { endedAtMs } = end;
    const tookMs = endedAtMs === null || flight.startedAtMs === null ? null : endedAtMs - flight.startedAtMs;
    this.#leave(flight, gaveBack, tookMs);
  }

  #leave(flight: Flight, gaveBack: boolean, tookMs: number | null): void {
    this.#run.flights.remove(flight);
    this.lines.left(flight, this.#run.slots.giveBack(flight.job), { gaveBack, tookMs });
  }

  /** The host, or the way there, refused the start; nothing was started. */
  failed(flight: Flight, reason: string, gaveBack: boolean): void {
    this.land(flight, { ...UNSEEN, state: "fail_start", reason }, gaveBack);
  }

  /**
   * Its machine was silent for too long, or could not say what became of it: crashed, on the manager only (SEED, "crash"). Boot and slot
   * stay in the record, so that a later run asks about it before anything starts on that machine.
   */
  giveUp(flight: Flight, reason: string): void {
    this.#tellStart(flight);
    this.#end(flight, { ...UNSEEN, state: "crash", reason }, {});
    this.#run.flights.setLost(flight, true);
    this.lines.left(flight, this.#run.slots.giveBack(flight.job), { gaveBack: false, tookMs: null });
  }

  /**
   * Its start met a claim of its number. If it was sent only once, the number was used by a run of which the queue knows nothing any more, as
   * when an old copy of its file was put back: its end is none of this start's, which gets the next number.
   */
  met(flight: Flight, state: AttemptState, gaveBack = false): void {
    const isOver = state.type === "ended" || state.type === "crashed";
    if (flight.phase !== "sent" || flight.again || flight.recalled || !isOver) {
      return this.learn(flight, state, gaveBack);
    }
    const number = flight.attempt.slice(flight.attempt.lastIndexOf(".") + 1);
    const text =
      `Job ${flight.job} had an attempt ${number} on ${flight.shown} before, of which its queue knows nothing: it is started anew`;
    report(this.#run, { type: "warning", text });
    this.#putBack(flight);
  }

  /** Takes in what the host knows of the attempt. */
  learn(flight: Flight, state: AttemptState, gaveBack = false): void {
    const run = this.#run;
    const inherited = flight.phase === "inherited";
    const revived = inherited || (flight.phase === "lost" && flight.request === null);
    const machine = flight.shown;
    switch (state.type) {
      case "alive":
        this.started(flight, state.pid, state.startedAtMs);
        if (revived) report(run, { type: "adopted", job: flight.job, machine });
        return;
      case "ended":
        if (revived) report(run, { type: "found", job: flight.job, state: state.state, machine });
        flight.startedAtMs ??= state.startedAtMs;
        return this.land(flight, { ...state, reason: null }, gaveBack);
      case "crashed":
        if (inherited) report(run, { type: "found", job: flight.job, state: "crash", machine });
        return this.land(flight, {
          ...UNSEEN,
          state: "crash",
          exitCode: state.exitCode,
          reason: "its process is gone",
        });
      case "forbidden":
        // A host that contradicts itself: what was said to run is never started again unasked.
        if (flight.phase === "started" || this.#isSaidToRun(flight)) {
          if (inherited) report(run, { type: "found", job: flight.job, state: "crash", machine });
          return this.land(flight, { ...UNSEEN, state: "crash", reason: "the host says it never started" });
        }
        if (flight.killWanted) return this.land(flight, { ...UNSEEN, state: "kill", isOurs: true }, true);
        if (inherited) report(run, { type: "found", job: flight.job, state: "never started, waits again", machine });
        return this.#putBack(flight);
      case "claimed": {
        if (++flight.asked > ASK_LIMIT) {
          if (flight.phase === "lost") return;
          return this.giveUp(
            flight,
            `${machine} was asked ${ASK_LIMIT} times whether it was started, and could not say`,
          );
        }
        flight.claimed = true;
        const asked = run.machines.get(flight.machine);
        if (asked !== undefined) asked.askAtMs = run.nowMs + ASK_AGAIN_MS;
        return;
      }
      case "none":
        // No trace: the host was started anew, or the directory removed. It may have run, so it is never started again unasked.
        if (inherited) report(run, { type: "found", job: flight.job, state: "crash", machine });
        return this.land(flight, { ...UNSEEN, state: "crash", reason: "the host has no trace of it" });
      case "other":
        if (inherited) report(run, { type: "found", job: flight.job, state: "crash", machine });
        return this.land(flight, {
          ...UNSEEN,
          state: "crash",
          reason: `another attempt (${state.attempt}) holds its directory`,
        });
      default:
        state satisfies never;
    }
  }

  /**
   * Somebody wants the job ended: its start is called back, or it is killed as soon as it is known to run. Nobody waits for the word of
   * its host: its input files may be on their way for long, and its job be deleted before they are there.
   */
  wantKill(name: JobName): void {
    const flight = this.#run.flights.get(name);
    if (flight === undefined) return;
    flight.killWanted = true;
    if (flight.phase === "started") this.kill(flight);
    else if (flight.phase === "sent" && !flight.recalled) this.lines.recall([flight]);
  }

  kill(flight: Flight): void {
    // Without a link: when it is back, the answer "alive" comes here again.
    if (this.#run.machines.get(flight.machine)?.openedAtMs === null) return;
    const { job, attempt, machine } = flight;
    this.#run.effects.push({ type: "kill", machine, attempt: { job, attempt } });
  }

  /** Makes candidates of the jobs that were put back, once the change is written: several steps may go into one commit. */
  takeReturned(): void {
    if (this.#returned.length === 0) return;
    const { jobs, candidates } = this.#run;
    const isWritten = (name: JobName): boolean => !isInFlight(jobs.get(name)?.status ?? "end");
    candidates.putBack(this.#returned.filter(isWritten), jobs);
    this.#returned = this.#returned.filter((name) => !isWritten(name));
  }

  /** True if a further step has something to do at once. */
  get hasReturned(): boolean {
    return this.#returned.length > 0;
  }

  /** True if the host said to an earlier run that it runs. */
  #isSaidToRun(flight: Flight): boolean {
    const job = this.#run.jobs.get(flight.job);
    return job !== undefined && job.status === "start" && attemptId(job) === flight.attempt;
  }

  /** It was never started and never will be: it waits again, at its place in the file. */
  #putBack(flight: Flight): void {
    const job = this.#run.jobs.get(flight.job);
    if (job !== undefined && isOf(flight, job)) {
      this.#move(flight, waitingState(job), NO_PLACE);
      this.#returned.push(flight.job);
    }
    this.#run.outcomes.forget(flight.job);
    this.#leave(flight, true, null);
  }

  #end(flight: Flight, { state, exitCode, endedAtMs, reason, isOurs }: Ending, place: JobFields): void {
    const fields: JobFields = {
      exit_code: exitCode,
      ...(flight.startedAtMs === null ? {} : { started: isoSeconds(flight.startedAtMs) }),
      ended: endedAtMs === null ? null : isoSeconds(endedAtMs),
      ...place,
    };
    this.#move(flight, state, fields, isOurs);
    const elapsedMs = endedAtMs === null || flight.startedAtMs === null ? null : endedAtMs - flight.startedAtMs;
    this.#tellEnd(flight.job, flight.shown, { state, exitCode, reason, elapsedMs });
  }

  #tellEnd(
    job: JobName,
    machine: string,
    end: Pick<Ending, "state" | "exitCode" | "reason"> & { readonly elapsedMs: number | null },
  ): void {
    this.#run.outcomes.ended(job, { state: end.state, exitCode: end.exitCode, machine });
    report(this.#run, { type: "ended", job, machine, ...end });
  }

  /** Moves the job's state and sets fields. A job that was deleted or replaced meanwhile is left alone. */
  #move(flight: Flight, to: JobState, fields: JobFields, durable = false): void {
    const job = this.#run.jobs.get(flight.job);
    if (job === undefined) return;
    if (attemptId({ id: job.id, attempt: fields.attempt ?? job.attempt }) !== flight.attempt) return;
    if (job.status !== to && !mayMove(job.status, to)) return;
    const change = { type: "set", job: flight.job, fields: { status: to, ...fields } } as const;
    this.#run.effects.push({ type: "change", change, of: job, durable });
  }
}
