/**
 * What becomes of an attempt, from the decision to start it to its end. Part of the core; pure but for the context that
 * it changes. `answers.ts` has what to believe of an attempt that nobody watched for a while.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { attemptId, type AttemptRef, isOrBefore } from "../job/attempt.ts";
import { isGivenUp, isoSeconds, type Job, type JobFields } from "../job/job.ts";
import { needsOf } from "../job/needs.ts";
import { triedThere } from "../job/past_tries.ts";
import { waitingState } from "../job/states.ts";
import { machineKey, machineOfJob, machineText } from "../cluster/machine.ts";
import { attemptInTheWay, limitWord } from "../agent/attempt.ts";
import type { Away } from "./away.ts";
import type { Backlogs } from "./backlogs.ts";
import { report, reportStart, type RunContext } from "./context.ts";
import { type Ending, type Endings, hostWord, NO_PLACE, tookMsOf, UNSEEN } from "./endings.ts";
import { backlogOf, type InFlight, inFlight, isOf, isRecalled, isReset, isUnseen, startedAtMsOf } from "./in_flight.ts";
import { startRequest, timeLimitOf } from "./start_request.ts";
import type { Lost } from "./lost.ts";
import type { Placement } from "./policies.ts";
import type { Returns } from "./returns.ts";
import type { Share } from "./fit.ts";

/** The lives of attempts. */
export class Attempts {
  readonly #run: RunContext;
  readonly #backlogs: Backlogs;
  readonly #endings: Endings;
  readonly #returns: Returns;
  readonly #away: Away;
  readonly #lost: Lost;
  /** In flight when the run began, on a host that cannot be named. */
  readonly #unnamed: Job[] = [];

  constructor(
    run: RunContext,
    parts: { backlogs: Backlogs; endings: Endings; returns: Returns; away: Away; lost: Lost },
  ) {
    this.#run = run;
    this.#backlogs = parts.backlogs;
    this.#endings = parts.endings;
    this.#returns = parts.returns;
    this.#away = parts.away;
    this.#lost = parts.lost;
  }

  /**
   * Takes over a job that was in flight when the run began, or that an earlier run gave up: it may still run and take a
   * slot.
   */
  inherit(job: Job): void {
    const { machines, slots } = this.#run;
    const machine = machineOfJob(job);
    if (machine === null) {
      if (!isGivenUp(job)) this.#unnamed.push(job); // Nothing can be asked about it; `reset` deals with it.
      return;
    }
    const [offered] = slots.on(machineKey(machine));
    const state = machines.of(offered?.machine ?? machine);
    const share = shareOf(job);
    this.#run.inFlight.add(inFlight({
      job: job.name,
      attempt: attemptId(job),
      machine: state.key,
      shown: machineText(machine),
      boot: job.boot,
      request: null,
      share,
      slot: null,
      stage: isGivenUp(job) ? { at: "given_up", startedAtMs: null } : { at: "inherited" },
    }));
    if (!isGivenUp(job)) slots.adopt(job.name, state.key, job.slot, share);
  }

  /** The run begins: reports the jobs that it cannot take over. */
  begin(): void {
    for (const { name, status, host } of this.#unnamed.splice(0)) {
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
      this.#returns.putBehind(name);
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
    const isPrefetched = isPrefetch && backlog !== null;
    const { timeLimit, queue } = this.#run;
    const host = hostWord(place.slot === null ? "" : this.#backlogs.nameOf(place.slot), place.machine.name);
    const { user, name: machine } = place.machine;
    const keep = triedThere(job, place.slot === null ? job : { user, host: machine });
    const number = backlog?.number ?? null;
    const slot = backlog === null ? this.#backlogs.numbers.next(state.key, place.slot) : null;
    const request = startRequest(job, attempt, {
      ...place,
      backlog: number,
      timeLimit,
      queue,
      host,
      keep,
      number: slot,
    });
    const one = inFlight({
      job: job.name,
      attempt: request.attempt,
      machine: state.key,
      shown: machineText(place.machine),
      boot: state.boot,
      request,
      share: place.share ?? null,
      slot,
      stage: isPrefetched ? { at: "backlog", backlog, sinceMs } : { at: "sent", backlog, sinceMs, isResent: false },
    });
    if (place.slot !== null && !isPrefetched) slots.take(job.name, place.slot, one.share);
    this.#run.inFlight.add(one);
    this.#backlogs.sent(one);
    this.#endings.move(one, "run", {
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
      ...devicesField(job, one.share),
    }, true);
    if (!isPrefetched) reportStart(this.#run, one);
    effects.push({ type: "start", machine: state.key, request, again: false });
  }

  /**
   * What was decided about this attempt could not be written, and its job is another now: it counts as if it had never
   * been.
   */
  undo({ job, attempt }: AttemptRef): void {
    const { inFlight, outcomes } = this.#run;
    outcomes.retract(job);
    outcomes.forget(job);
    this.#returns.forgetEnds([job]);
    const one = inFlight.of(job, attempt);
    if (one !== undefined) this.#leave(one, false, null);
  }

  /** The host says that the attempt runs, and perhaps in which slot. */
  started(one: InFlight, pid: number, startedAtMs: number | null, slot?: number): void {
    const { outcomes, slots } = this.#run;
    one.slot = slot ?? one.slot;
    const wasGivenUp = one.stage.at === "given_up";
    this.#backlogs.confirm(one, startedAtMs);
    if (wasGivenUp) {
      // Given up too early: it runs, so it takes a slot again.
      outcomes.retract(one.job);
      slots.adopt(one.job, one.machine, this.#run.jobs.get(one.job)?.slot ?? null, one.share);
      this.#backlogs.doubt(one.machine);
    }
    reportStart(this.#run, one);
    outcomes.ran(one.job);
    const started = startedAtMs === null ? {} : { started: isoSeconds(startedAtMs) };
    this.#endings.move(one, "start", { pid: String(pid), ...started });
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
    if (!isReset(one, this.#run.jobs.get(one.job))) this.#writeEnd(one, end);
    this.#leave(one, gaveBack, tookMsOf(one, end));
  }

  #writeEnd(one: InFlight, end: Ending): void {
    if (end.isUnstarted !== true) reportStart(this.#run, one);
    // One that was given up counts as crashed already; now it is one for certain, and may be tried again.
    const isKnown = one.stage.at === "given_up" && end.state === "crash";
    if (!isKnown) this.#endings.write(one, end, NO_PLACE);
    else if (!this.#endings.tryAgain(one, end)) {
      this.#endings.move(one, end.state, { exit_code: end.exitCode, ...NO_PLACE });
    }
  }

  #leave(one: InFlight, gaveBack: boolean, tookMs: number | null): void {
    this.#away.remove(one);
    const backlog = backlogOf(one);
    this.#run.inFlight.remove(one);
    this.#backlogs.left(backlog, this.#run.slots.giveBack(one.job), { gaveBack, tookMs, slot: one.slot });
    this.#returns.freeName(one.job);
  }

  /** The host, or the way there, refused the start; nothing was started. */
  failed(one: InFlight, reason: string, gaveBack: boolean): void {
    // Machines that share a home see the claim of an attempt that is lost: nothing starts beside it.
    const live = attemptInTheWay(reason);
    const isAfterLost = live !== null && isOrBefore(live, one.attempt);
    this.end(one, { ...UNSEEN, state: "fail_start", reason, isAfterLost }, gaveBack);
  }

  /**
   * Its machine was silent for too long, or could not say what became of it: crashed, on the manager only.
   * Boot and slot stay in the record, so that a later run asks about it before anything starts on that machine.
   * `isSilent`: its job may be tried elsewhere.
   */
  giveUp(one: InFlight, reason: string, isSilent = false): void {
    reportStart(this.#run, one);
    if (this.#endings.write(one, { ...UNSEEN, state: "crash", cause: "lost", isSilent, reason }, {})) {
      this.#lost.add(one);
      return this.#leave(one, false, null);
    }
    const backlog = backlogOf(one);
    this.#run.inFlight.setStage(one, { at: "given_up", startedAtMs: startedAtMsOf(one) });
    const how = { gaveBack: false, tookMs: null, slot: one.slot };
    this.#backlogs.left(backlog, this.#run.slots.giveBack(one.job), how);
    this.#returns.freeName(one.job);
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

  /** It was never started and never will be: it waits again, at its place in the file. */
  putBack(one: InFlight): void {
    const job = this.#run.jobs.get(one.job);
    if (job !== undefined && isOf(one, job)) {
      this.#endings.move(one, waitingState(job), NO_PLACE);
      this.#returns.putBack(one.job);
    }
    this.#run.outcomes.forget(one.job);
    this.#leave(one, true, null);
  }
}

/** What a job in flight holds besides one slot, by its record. */
function shareOf(job: Job): Share | null {
  const needs = needsOf(job);
  return needs === null ? null : { needs, devices: job.devices ?? [] };
}

/** The devices of an attempt as the record has them. */
function devicesField(job: Job, share: Share | null): Pick<JobFields, "devices"> {
  if (share !== null && share.devices.length > 0) return { devices: share.devices };
  return isSet(job.devices) ? { devices: null } : {};
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined;
}
