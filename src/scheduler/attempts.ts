/**
 * What becomes of an attempt: from the decision to start it to its end, and what to believe of one that nobody watched
 * for a while. Part of the core; pure but for the context that it changes.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { attemptId, attemptNumber, type AttemptRef } from "../job/attempt.ts";
import { isGivenUp, isoSeconds, type Job, type JobFields } from "../job/job.ts";
import { timeLimitReason } from "../job/outcome.ts";
import { type Cause, nextTry } from "../job/retry.ts";
import { isInFlight, isWaiting, type JobState, mayMove, waitingState } from "../job/states.ts";
import { machineKey, machineOfJob, machineText } from "../cluster/machine.ts";
import { limitWord } from "../agent/attempt.ts";
import { hostOfMachine, isElsewhere, machineOfBoot } from "../agent/boot.ts";
import type { AttemptState } from "../link/link.ts";
import type { Backlogs } from "./backlogs.ts";
import { report, reportStart, type RunContext } from "./context.ts";
import { backlogOf, type InFlight, inFlight, isOf, isRecalled, isUnseen, startedAtMsOf } from "./in_flight.ts";
import { startRequest, timeLimitOf } from "./start_request.ts";
import type { Placement } from "./policies.ts";

/** Pause before asking again about an attempt that was just being claimed. */
const ASK_AGAIN_MS = 1_000;
/** How often it is asked about what lives on another machine. */
const LOOK_MS = 30_000;
/**
 * It is given up when it was asked about so often: its host can neither start it nor forbid it, for ten minutes or
 * longer.
 */
export const ASK_LIMIT = 600;

/** How an attempt ends. `reason`: why, where it did not end by itself. */
interface Ending {
  readonly state: "end" | "kill" | "crash" | "fail_start";
  readonly exitCode: number | null;
  /** What the answer says; what is known already goes before it. */
  readonly startedAtMs?: number | null;
  readonly endedAtMs: number | null;
  readonly reason: string | null;
  /** Where the state does not say it. */
  readonly cause?: Cause;
  /** Its host does not know that it ended so: only the record says it. */
  readonly isOurs?: true;
  /** It was recalled before it started. */
  readonly isUnstarted?: true;
}

/** A start that failed before anything was sent. `isDependent`: as a job that it waits for did not end as it must. */
export interface FailedStart {
  /** `""` where none was chosen. */
  readonly machine: string;
  readonly reason: string;
  readonly isDependent?: boolean;
}

/** Of an end that nobody saw. */
const UNSEEN = { exitCode: null, endedAtMs: null, reason: null } as const;

/** A job that is not in flight holds nothing. */
const NO_PLACE = { boot: null, slot: null } as const satisfies JobFields;

/** The lives of attempts. */
export class Attempts {
  readonly #run: RunContext;
  readonly #backlogs: Backlogs;
  /**
   * Jobs that were proved not to have been started: candidates again from the next step on, when the change is written.
   */
  #returned: JobName[] = [];
  /** Proved to live elsewhere, by attempt, and whether that was told. */
  readonly #away = new Map<string, { readonly one: InFlight; readonly host: string; isTold: boolean }>();
  #hasNews = false;
  /** Jobs that are over, and for which others wait: looked at from the next step on, when that is written. */
  readonly #over = new Map<JobName, Job>();
  /** Jobs that wait for the end of an earlier one of their name. */
  readonly #behind = new Set<JobName>();
  /** In flight when the run began, on a host that cannot be named. */
  readonly #lost: Job[] = [];

  constructor(run: RunContext, backlogs: Backlogs) {
    this.#run = run;
    this.#backlogs = backlogs;
  }

  /**
   * Takes over a job that was in flight when the run began, or that an earlier run gave up: it may still run and take a
   * slot.
   */
  inherit(job: Job): void {
    const { machines, slots } = this.#run;
    const machine = machineOfJob(job);
    if (machine === null) {
      if (!isGivenUp(job)) this.#lost.push(job); // Nothing can be asked about it; `reset` deals with it.
      return;
    }
    const offered = slots.hosts.find((host) => machineKey(host.machine) === machineKey(machine));
    const state = machines.of(offered?.machine ?? machine);
    this.#run.inFlight.add(inFlight({
      job: job.name,
      attempt: attemptId(job),
      machine: state.key,
      shown: machineText(machine),
      boot: job.boot,
      request: null,
      stage: isGivenUp(job) ? { at: "given_up", startedAtMs: null } : { at: "inherited" },
    }));
    if (!isGivenUp(job)) slots.adopt(job.name, state.key, job.slot);
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
   * The job of this name is to be started, and one of the same name is in flight: it was deleted while its host did not
   * answer, and another was added since. The old one may live, so it keeps its slot, and the new one waits until the
   * host says what became of it, or it is given up. One that waits in a backlog has no slot: its backlog is over.
   * @returns True if there was one: the next job must be looked at, and the place be chosen anew.
   */
  leaveOld(name: JobName): boolean {
    const { inFlight, candidates, jobs } = this.#run;
    const old = inFlight.get(name);
    if (old === undefined || old.stage.at === "given_up") return false;
    if (old.stage.at === "backlog") this.#leave(old, false, null);
    else {
      candidates.take(name, jobs);
      this.#behind.add(name);
      const text = `Job ${name} waits: an earlier job of its name may still run on ${old.shown}`;
      report(this.#run, { type: "warning", text });
    }
    return true;
  }

  /**
   * Decides a start: the change is durable before the request is sent. `isPrefetch`: it takes no slot yet, but waits
   * for one there.
   */
  start(job: Job, place: Extract<Placement, { type: "place" }>, isPrefetch = false): void {
    const { machines, slots, effects, nowMs: sinceMs } = this.#run;
    const state = machines.of(place.machine);
    const attempt = job.attempt + 1;
    const backlog = place.slot === null ? null : this.#backlogs.join(place.slot, isPrefetch);
    const isWaiting = isPrefetch && backlog !== null;
    const { timeLimit } = this.#run;
    const request = startRequest(job, attempt, { ...place, backlog: backlog?.number ?? null, timeLimit });
    const one = inFlight({
      job: job.name,
      attempt: request.attempt,
      machine: state.key,
      shown: machineText(place.machine),
      boot: state.boot,
      request,
      stage: isWaiting ? { at: "backlog", backlog, sinceMs } : { at: "sent", backlog, sinceMs, isResent: false },
    });
    if (place.slot !== null && !isWaiting) slots.take(job.name, place.slot);
    this.#run.inFlight.add(one);
    this.#backlogs.sent(one);
    this.#move(one, "run", {
      ...(place.slot === null ? {} : { user: place.machine.user, host: place.machine.name }),
      attempt,
      boot: state.boot,
      slot: place.slot,
      pid: null,
      exit_code: null,
      started: null,
      ended: null,
      ...(job.job_directory === null ? {} : { job_directory: null }),
      ...(isSet(job.reason) ? { reason: null } : {}),
      ...(isSet(job.not_before) ? { not_before: null } : {}),
    }, true);
    if (!isWaiting) reportStart(this.#run, one);
    effects.push({ type: "start", machine: state.key, request, again: false });
  }

  /** A start that fails before anything is sent: no slot was taken. */
  failStart(job: Job, { machine, reason, isDependent = false }: FailedStart): void {
    const gone = { pid: null, exit_code: null, started: null, ended: null, reason } as const;
    const fields: JobFields = { status: "fail_start", ...gone };
    this.#run.effects.push({ type: "change", change: { type: "set", job: job.name, fields }, of: job, durable: true });
    this.#noteOver(job.name);
    const end = { state: "fail_start", exitCode: null, reason, elapsedMs: null } as const;
    this.#reportEnd(job.name, machine, end, { began: false, isDependent });
  }

  /**
   * What was decided about this attempt could not be written, and its job is another now: it counts as if it had never
   * been.
   */
  undo({ job, attempt }: AttemptRef): void {
    const { inFlight, outcomes } = this.#run;
    outcomes.retract(job);
    outcomes.forget(job);
    this.#over.delete(job);
    const one = inFlight.of(job, attempt);
    if (one !== undefined) this.#leave(one, false, null);
  }

  /** Others changed these jobs: the candidates look at them anyway. */
  forgetEnds(names: Iterable<JobName>): void {
    for (const name of names) this.#over.delete(name);
  }

  /** The host says that the attempt runs. */
  started(one: InFlight, pid: number, startedAtMs: number | null): void {
    const { outcomes, slots } = this.#run;
    const wasGivenUp = one.stage.at === "given_up";
    this.#backlogs.confirm(one, startedAtMs);
    if (wasGivenUp) {
      // Given up too early: it runs, so it takes a slot again.
      outcomes.retract(one.job);
      slots.adopt(one.job, one.machine, this.#run.jobs.get(one.job)?.slot ?? null);
      this.#backlogs.doubt(one.machine);
    }
    reportStart(this.#run, one);
    outcomes.ran(one.job);
    const started = startedAtMs === null ? {} : { started: isoSeconds(startedAtMs) };
    this.#move(one, "start", { pid: String(pid), ...started });
    if (one.isKillWanted) this.kill(one);
    else this.#limit(one);
  }

  /** Fields of a job were changed from outside: a time limit counts at once. */
  changed(name: JobName): void {
    const one = this.#run.inFlight.get(name);
    if (one?.stage.at === "running") this.#limit(one);
  }

  /**
   * Gives the host the time limit that the job has now, where that is another. One that an earlier run started has only
   * its own.
   */
  #limit(one: InFlight): void {
    const { jobs, timeLimit, machines, effects } = this.#run;
    const job = jobs.get(one.job);
    if (!isOf(one, job) || machines.get(one.machine)?.openedAtMs === null) return;
    const limit = timeLimitOf(job!, one.request === null ? null : timeLimit);
    const text = limit === null && one.limit === null ? null : limitWord(limit);
    if (text === one.limit) return;
    // Nobody knows whose it is that an earlier run gave.
    if (limit === null && one.request === null && one.limit === "unknown") return;
    one.limit = text;
    effects.push({ type: "limit", machine: one.machine, attempt: { job: one.job, attempt: one.attempt }, limit });
  }

  /** The host gave it a directory beside that of its name, which another queue has. */
  beside(one: InFlight, directory: string): void {
    const job = this.#run.jobs.get(one.job);
    if (job === undefined || job.job_directory === directory || attemptId(job) !== one.attempt) return;
    const change = { type: "set", job: job.name, fields: { job_directory: directory } } as const;
    this.#run.effects.push({ type: "change", change, of: job, durable: false });
    report(this.#run, { type: "beside", job: job.name, machine: one.shown, directory });
  }

  /** The attempt is over; its slot is free. `gaveBack`: the host has said that it is free in its backlog too. */
  end(one: InFlight, end: Ending, gaveBack = false): void {
    if (end.isUnstarted !== true) reportStart(this.#run, one);
    // One that was given up counts as crashed already; now it is one for certain.
    const isKnown = one.stage.at === "given_up" && end.state === "crash";
    if (isKnown) this.#move(one, end.state, { exit_code: end.exitCode, ...NO_PLACE });
    else this.#writeEnd(one, end, NO_PLACE);
    this.#leave(one, gaveBack, tookMsOf(one, end));
  }

  #leave(one: InFlight, gaveBack: boolean, tookMs: number | null): void {
    this.#away.delete(one.attempt);
    const backlog = backlogOf(one);
    this.#run.inFlight.remove(one);
    this.#backlogs.left(backlog, this.#run.slots.giveBack(one.job), { gaveBack, tookMs });
    this.#freeName(one.job);
  }

  /** The host, or the way there, refused the start; nothing was started. */
  failed(one: InFlight, reason: string, gaveBack: boolean): void {
    this.end(one, { ...UNSEEN, state: "fail_start", reason }, gaveBack);
  }

  /**
   * Its machine was silent for too long, or could not say what became of it: crashed, on the manager only.
   * Boot and slot stay in the record, so that a later run asks about it before anything starts on that machine.
   */
  giveUp(one: InFlight, reason: string): void {
    reportStart(this.#run, one);
    this.#writeEnd(one, { ...UNSEEN, state: "crash", cause: "lost", reason }, {});
    const backlog = backlogOf(one);
    this.#run.inFlight.setStage(one, { at: "given_up", startedAtMs: startedAtMsOf(one) });
    this.#backlogs.left(backlog, this.#run.slots.giveBack(one.job), { gaveBack: false, tookMs: null });
    this.#freeName(one.job);
  }

  /** No attempt of this name holds a slot: a job that waited for that is a candidate again. */
  #freeName(name: JobName): void {
    if (this.#behind.delete(name)) this.#returned.push(name);
  }

  /**
   * Its start met a claim of its number. If it was sent only once, the number was used by a run of which the queue
   * knows nothing any more, as when an old copy of its file was put back: its end is none of this start's, which gets
   * the next number.
   */
  met(one: InFlight, state: AttemptState, gaveBack = false): void {
    const isOver = state.type === "ended" || state.type === "crashed";
    const { stage } = one;
    const isResent = stage.at === "sent" && stage.isResent;
    if (!isUnseen(one) || isResent || isRecalled(one) || !isOver) return this.learn(one, state, gaveBack);
    const text = `Job ${one.job} had an attempt ${
      attemptNumber(one.attempt)
    } on ${one.shown} before, of which its queue knows nothing: it is started anew`;
    report(this.#run, { type: "warning", text });
    this.#putBack(one);
  }

  /** Takes in what the host knows of the attempt. */
  learn(one: InFlight, state: AttemptState, gaveBack = false): void {
    const run = this.#run;
    const inherited = one.stage.at === "inherited";
    const revived = inherited || (one.stage.at === "given_up" && one.request === null);
    const machine = one.shown;
    const elsewhere = this.#machineOf(one, state);
    if (elsewhere !== null) return this.#isAway(one, elsewhere);
    this.#away.delete(one.attempt);
    if ("directory" in state && state.directory !== undefined) this.beside(one, state.directory);
    switch (state.type) {
      case "away":
        return;
      case "alive":
        // Whatever was last sent to the host may be lost.
        if (one.limit !== null) one.limit = "unknown";
        this.started(one, state.pid, state.startedAtMs);
        if (revived) report(run, { type: "adopted", job: one.job, machine });
        return;
      case "ended":
        if (revived) report(run, { type: "found", job: one.job, state: state.state, machine });
        return this.end(one, { ...state, ...whyOf(state) }, gaveBack);
      case "crashed":
        if (inherited) report(run, { type: "found", job: one.job, state: "crash", machine });
        return this.end(one, {
          ...UNSEEN,
          state: "crash",
          exitCode: state.exitCode,
          reason: "its process is gone",
        });
      case "forbidden":
        // A host that contradicts itself: what was said to run is never started again unasked.
        if (one.stage.at === "running" || this.#isSaidToRun(one)) {
          if (inherited) report(run, { type: "found", job: one.job, state: "crash", machine });
          return this.end(one, { ...UNSEEN, state: "crash", reason: "the host says it never started" });
        }
        if (one.isKillWanted) {
          const reason = "before it started";
          return this.end(one, { ...UNSEEN, state: "kill", reason, isOurs: true, isUnstarted: true }, true);
        }
        if (inherited) report(run, { type: "found", job: one.job, state: "never started, waits again", machine });
        return this.#putBack(one);
      case "claimed": {
        if (++one.timesAsked > ASK_LIMIT) {
          if (one.stage.at === "given_up") return;
          return this.giveUp(
            one,
            `${machine} was asked ${ASK_LIMIT} times whether it was started, and could not say`,
          );
        }
        one.question = { type: one.question?.type ?? "ask", isDue: true };
        const asked = run.machines.get(one.machine);
        if (asked !== undefined) asked.askAtMs = run.nowMs + ASK_AGAIN_MS;
        return;
      }
      case "none":
        // No trace: the host was started anew, or the directory removed. It may have run, so it is never started again
        // unasked.
        if (inherited) report(run, { type: "found", job: one.job, state: "crash", machine });
        return this.end(one, { ...UNSEEN, state: "crash", reason: "the host has no trace of it" });
      case "other":
        if (inherited) report(run, { type: "found", job: one.job, state: "crash", machine });
        return this.end(one, {
          ...UNSEEN,
          state: "crash",
          reason: `another attempt (${state.attempt}) holds its directory`,
        });
      default:
        state satisfies never;
    }
  }

  /** The machine that alone can say what became of it, if that is not the one that was asked. */
  #machineOf(one: InFlight, state: AttemptState): string | null {
    if (state.type === "away") return state.machine;
    const present = this.#run.machines.get(one.machine)?.boot ?? null;
    // It may have its files to itself: what it has no trace of proves nothing.
    const isBlind = state.type === "none" || state.type === "claimed" || state.type === "other";
    return isBlind && isElsewhere(one.boot, present) ? machineOfBoot(one.boot!) : null;
  }

  /**
   * It lives on another machine, for all that is known: neither gone nor to be started again. It keeps its slot, or has
   * it back, until that machine or its log says that it ended.
   */
  #isAway(one: InFlight, machine: string): void {
    const { slots, jobs, machines, inFlight, nowMs } = this.#run;
    const host = hostOfMachine(machine);
    const state = machines.get(one.machine);
    if (state !== undefined) state.lookAtMs = nowMs + LOOK_MS;
    one.question = null;
    if (this.#away.get(one.attempt)?.host !== host) {
      this.#away.set(one.attempt, { one, host, isTold: false });
      this.#hasNews = true;
    } else if (one.stage.at === "given_up") return;
    const hasSlot = one.stage.at !== "backlog" && one.stage.at !== "given_up";
    if (!hasSlot) slots.adopt(one.job, one.machine, jobs.get(one.job)?.slot ?? null);
    if (one.stage.at === "given_up") return;
    const backlog = backlogOf(one);
    inFlight.setStage(one, { at: "away", host, startedAtMs: startedAtMsOf(one) });
    if (backlog !== null) this.#backlogs.leave(backlog);
  }

  /** Tells of those that proved to live elsewhere, once of each. */
  tellAway(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    const fresh = [...this.#away.values()].filter(({ isTold }) => !isTold);
    const groups = Map.groupBy(fresh, ({ one, host }) => JSON.stringify([one.shown, host]));
    for (const group of groups.values()) {
      const { one, host } = group[0]!;
      for (const away of group) away.isTold = true;
      report(this.#run, { type: "elsewhere", jobs: group.map(({ one }) => one.job), machine: one.shown, host });
    }
  }

  /**
   * Somebody wants the job ended: its start is recalled, or it is killed as soon as it is known to run. Nobody waits
   * for the word of its host: its input files may be on their way for long, and its job be deleted before they are
   * there.
   */
  wantKill(name: JobName): void {
    const one = this.#run.inFlight.get(name);
    if (one === undefined) return;
    one.isKillWanted = true;
    if (one.stage.at === "running") this.kill(one);
    else if (isUnseen(one) && !isRecalled(one)) this.#backlogs.recall([one]);
  }

  kill(one: InFlight): void {
    // Without a link: when it is back, the answer "alive" comes here again.
    if (this.#run.machines.get(one.machine)?.openedAtMs === null) return;
    const { job, attempt, machine } = one;
    this.#run.effects.push({ type: "kill", machine, attempt: { job, attempt } });
  }

  /**
   * Makes candidates of the jobs that were put back, once the change is written: several steps may go into one commit.
   */
  takeReturned(): void {
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
  get hasReturned(): boolean {
    return this.#returned.length + this.#over.size > 0;
  }

  /** True if the host said to an earlier run that it runs. */
  #isSaidToRun(one: InFlight): boolean {
    const job = this.#run.jobs.get(one.job);
    return job !== undefined && job.status === "start" && attemptId(job) === one.attempt;
  }

  /** It was never started and never will be: it waits again, at its place in the file. */
  #putBack(one: InFlight): void {
    const job = this.#run.jobs.get(one.job);
    if (job !== undefined && isOf(one, job)) {
      this.#move(one, waitingState(job), NO_PLACE);
      this.#returned.push(one.job);
    }
    this.#run.outcomes.forget(one.job);
    this.#leave(one, true, null);
  }

  #writeEnd(one: InFlight, end: Ending, place: JobFields): void {
    const { state, exitCode, endedAtMs, reason, isOurs } = end;
    const startedAtMs = startedAtMsOf(one) ?? end.startedAtMs ?? null;
    const fields: JobFields = {
      exit_code: exitCode,
      ...(startedAtMs === null ? {} : { started: isoSeconds(startedAtMs) }),
      ended: endedAtMs === null ? null : isoSeconds(endedAtMs),
      ...(reason === null ? {} : { reason }),
      ...place,
    };
    this.#move(one, state, fields, isOurs);
    if (this.#tryAgain(one, end)) return;
    this.#noteOver(one.job);
    const began = state !== "fail_start" && end.isUnstarted !== true;
    this.#reportEnd(one.job, one.shown, { state, exitCode, reason, elapsedMs: tookMsOf(one, end) }, { began });
  }

  /** Lets a job that did not end well wait for its next try, if it has one left. @returns True if it has. */
  #tryAgain(one: InFlight, end: Ending): boolean {
    const { jobs, outcomes, effects, nowMs } = this.#run;
    const job = jobs.get(one.job);
    const cause = causeOf(end);
    if (job === undefined || !isOf(one, job) || cause === null || cause === "lost" || one.isKillWanted) return false;
    const iso = (ms: number | null): string | null => ms === null ? null : isoSeconds(ms);
    const { exitCode, reason } = end;
    const started = iso(startedAtMsOf(one) ?? end.startedAtMs ?? null);
    const next = nextTry(job, { cause, exitCode, reason, started, ended: iso(end.endedAtMs) }, nowMs);
    if (next === null) return false;
    const fields: JobFields = { status: waitingState(job), ...NO_PLACE, ...next };
    effects.push({ type: "change", change: { type: "set", job: one.job, fields }, of: job, durable: true });
    this.#returned.push(one.job);
    outcomes.retract(one.job);
    outcomes.forget(one.job);
    const inMs = Date.parse(next.not_before!) - nowMs;
    report(this.#run, {
      type: "retry",
      job: one.job,
      machine: one.shown,
      why: reason ?? `exit code ${exitCode}`,
      next: next.reason!,
      inMs,
    });
    return true;
  }

  #reportEnd(
    job: JobName,
    machine: string,
    end: Pick<Ending, "state" | "exitCode" | "reason"> & { readonly elapsedMs: number | null },
    how: { readonly began: boolean; readonly isDependent?: boolean },
  ): void {
    const { state, exitCode, reason } = end;
    this.#run.outcomes.ended(job, { state, exitCode, reason, machine, ...how });
    report(this.#run, { type: "ended", job, machine, ...end });
  }

  /** The end of a job may let others start, once it is written. */
  #noteOver(name: JobName): void {
    const job = this.#run.candidates.isParent(name) ? this.#run.jobs.get(name) : undefined;
    if (job !== undefined) this.#over.set(name, job);
  }

  /** Moves the job's state and sets fields. A job that was deleted or replaced meanwhile is left alone. */
  #move(one: InFlight, to: JobState, fields: JobFields, durable = false): void {
    const job = this.#run.jobs.get(one.job);
    if (job === undefined) return;
    if (attemptId({ id: job.id, attempt: fields.attempt ?? job.attempt }) !== one.attempt) return;
    if (job.status !== to && !mayMove(job.status, to)) return;
    const change = { type: "set", job: one.job, fields: { status: to, ...fields } } as const;
    this.#run.effects.push({ type: "change", change, of: job, durable });
  }
}

/** Reason and cause of an end that a host told. */
export function whyOf({ limit }: { readonly limit?: string }): Pick<Ending, "reason" | "cause"> {
  return limit === undefined ? { reason: null } : { reason: timeLimitReason(limit), cause: "time_limit" };
}

/** The word of `retry_on` for an end; null for one that ended well. */
function causeOf({ state, exitCode, cause }: Ending): Cause | null {
  if (cause !== undefined) return cause;
  if (state === "end") return exitCode === 0 ? null : "exit";
  return state === "kill" ? "killed" : state === "crash" ? "crash" : "start";
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** How long an attempt took, ms by its host's clock; null if that is not known. */
function tookMsOf(one: InFlight, { startedAtMs, endedAtMs }: Ending): number | null {
  const fromMs = startedAtMsOf(one) ?? startedAtMs ?? null;
  return endedAtMs === null || fromMs === null ? null : endedAtMs - fromMs;
}
