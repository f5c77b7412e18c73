/**
 * How the record of a job follows its attempts: moves from state to state, ends, and further tries. Part of the core;
 * pure but for the context that it changes. Each move of a run goes through {@link Endings.move} or
 * {@link Endings.failStart}, and so through `job/states.ts`.
 *
 * @module
 */

import type { JobName } from "../names/grammar.ts";
import { attemptId } from "../job/attempt.ts";
import { isoSeconds, type Job, type JobFields } from "../job/job.ts";
import { timeLimitReason } from "../job/outcome.ts";
import { type Cause, nextTry } from "../job/retry.ts";
import { type JobState, mayMove, waitingState } from "../job/states.ts";
import type { Backlogs } from "./backlogs.ts";
import { report, type RunContext } from "./context.ts";
import { type InFlight, isOf, startedAtMsOf } from "./in_flight.ts";
import type { RunEvent } from "./report.ts";
import type { Returns } from "./returns.ts";

/** How an attempt ends. `reason`: why, where it did not end by itself. */
export interface Ending {
  readonly state: "end" | "kill" | "crash" | "fail_start";
  readonly exitCode: number | null;
  /** What the answer says; what is known already goes before it. */
  readonly startedAtMs?: number | null;
  readonly endedAtMs: number | null;
  readonly reason: string | null;
  /** Where the state does not say it. */
  readonly cause?: Cause;
  /** Its machine is silent: its job may be tried elsewhere. */
  readonly isSilent?: boolean;
  /** Its machine was an allocation, and that is over: nothing of it runs. */
  readonly isEndOfMachine?: true;
  /** Its host does not know that it ended so: only the record says it. */
  readonly isOurs?: true;
  /** Its start was refused, and an attempt of its job that was given up may still run. */
  readonly isAfterLost?: boolean;
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
export const UNSEEN = { exitCode: null, endedAtMs: null, reason: null } as const;

/** A job that is not in flight holds nothing. */
export const NO_PLACE = { boot: null, slot: null } as const satisfies JobFields;

/** What the run writes about the ends of attempts. */
export class Endings {
  readonly #run: RunContext;
  readonly #returns: Returns;
  readonly #backlogs: Pick<Backlogs, "nameOf">;

  constructor(run: RunContext, { returns, backlogs }: { returns: Returns; backlogs: Pick<Backlogs, "nameOf"> }) {
    this.#run = run;
    this.#returns = returns;
    this.#backlogs = backlogs;
  }

  /**
   * Moves the job's state and sets fields. A job that was deleted, replaced or reset meanwhile is left alone.
   * @returns True if it is to be written.
   */
  move(one: InFlight, to: JobState, fields: JobFields, durable = false): boolean {
    const job = this.#run.jobs.get(one.job);
    if (job === undefined) return false;
    if (attemptId({ id: job.id, attempt: fields.attempt ?? job.attempt }) !== one.attempt) return false;
    return this.#change(job, [job.status, to], fields, durable);
  }

  /** A start that fails before anything is sent: no slot was taken. */
  failStart(job: Job, { machine, reason, isDependent = false }: FailedStart): void {
    const gone = { pid: null, exit_code: null, started: null, ended: null, reason } as const;
    if (this.#change(job, [job.status, "fail_start"], gone, true)) this.#returns.noteOver(job.name);
    const end = { state: "fail_start", exitCode: null, reason, elapsedMs: null } as const;
    this.#reportEnd(job.name, machine, end, { began: false, isDependent });
  }

  /**
   * The attempt is over: writes its end, or lets its job wait for the next try. `place`: what becomes of its slot.
   * @returns True if there is another try.
   */
  write(one: InFlight, end: Ending, place: JobFields): boolean {
    const { state, exitCode, endedAtMs, reason, isOurs } = end;
    const startedAtMs = startedAtMsOf(one) ?? end.startedAtMs ?? null;
    const fields: JobFields = {
      exit_code: exitCode,
      ...(startedAtMs === null ? {} : { started: isoSeconds(startedAtMs) }),
      ended: endedAtMs === null ? null : isoSeconds(endedAtMs),
      ...(reason === null ? {} : { reason }),
      ...place,
    };
    const isWritten = this.move(one, state, fields, isOurs);
    if (this.tryAgain(one, end)) return true;
    if (isWritten) this.#returns.noteOver(one.job);
    const began = state !== "fail_start" && end.isUnstarted !== true;
    const { slot } = one;
    const of = { elapsedMs: tookMsOf(one, end), slot, host: this.#hostOf(one) };
    this.#reportEnd(one.job, one.shown, { state, exitCode, reason, ...of }, { began });
    return false;
  }

  /** Lets a job that did not end well wait for its next try, if it has one left. @returns True if it has. */
  tryAgain(one: InFlight, end: Ending): boolean {
    const { jobs, outcomes } = this.#run;
    const wallMs = this.#run.nowMs + this.#run.wallAheadMs;
    const job = jobs.get(one.job);
    const isLost = end.isEndOfMachine === true && job?.retry_on?.includes("lost") === true;
    const cause = isLost ? "lost" : causeOf(end);
    if (job === undefined || !isOf(one, job) || cause === null || one.isKillWanted) return false;
    // A job of `fifo` has one host.
    const isAway = end.isSilent === true || end.isEndOfMachine === true;
    if (cause === "lost" && (!isAway || this.#run.slots.hosts.length === 0)) return false;
    const iso = (ms: number | null): string | null => ms === null ? null : isoSeconds(ms);
    const { exitCode, reason, isAfterLost } = end;
    // By its boot later runs know of one that may live still.
    const boot = end.isEndOfMachine === true ? null : one.boot;
    const started = iso(startedAtMsOf(one) ?? end.startedAtMs ?? null);
    const past = {
      cause,
      exitCode,
      reason,
      started,
      ended: iso(end.endedAtMs),
      boot,
      ...(isAfterLost && { isAfterLost }),
    };
    const next = nextTry(job, past, wallMs);
    if (next === null) return false;
    this.#change(job, [end.state, waitingState(job)], { ...NO_PLACE, ...next }, true);
    this.#returns.putBack(one.job);
    outcomes.retract(one.job);
    outcomes.forget(one.job);
    const inMs = Date.parse(next.not_before!) - wallMs;
    report(this.#run, {
      type: "retry",
      job: one.job,
      machine: one.shown,
      why: next.history!.at(-1)!.reason!,
      next: next.reason!,
      inMs,
    });
    return true;
  }

  /** What the attempt knows its host by. */
  #hostOf({ job, shown, request }: InFlight): string {
    const slot = this.#run.jobs.get(job)?.slot ?? null;
    return request?.variables?.CMS_HOST ?? hostWord(slot === null ? "" : this.#backlogs.nameOf(slot), shown);
  }

  #reportEnd(
    job: JobName,
    machine: string,
    end: Omit<RunEvent & { type: "ended" }, "type" | "job" | "machine">,
    how: { readonly began: boolean; readonly isDependent?: boolean },
  ): void {
    const { state, exitCode, reason } = end;
    this.#run.outcomes.ended(job, { state, exitCode, reason, machine, ...how });
    report(this.#run, { type: "ended", job, machine, ...end });
  }

  /** The one place where a run changes a job's state. @returns True if the state may move so. */
  #change(of: Job, [from, to]: readonly [JobState, JobState], fields: JobFields, durable: boolean): boolean {
    if (from !== to && !mayMove(from, to)) return false;
    const change = { type: "set", job: of.name, fields: { status: to, ...fields } } as const;
    this.#run.effects.push({ type: "change", change, of, durable });
    return true;
  }
}

/**
 * What a job knows its host by. @param id Of the entry whose slot it has: hosts of the command line have none of a
 * person's. @param machine `user@name`, or the name alone.
 */
export function hostWord(id: string, machine: string): string {
  return /^[^#]/.test(id) ? id : machine.slice(machine.lastIndexOf("@") + 1);
}

/** Reason and cause of an end that a host reported. */
export function whyOf({ limit }: { readonly limit?: string }): Pick<Ending, "reason" | "cause"> {
  return limit === undefined ? { reason: null } : { reason: timeLimitReason(limit), cause: "time_limit" };
}

/** How long an attempt took, ms by its host's clock; null if that is not known. */
export function tookMsOf(one: InFlight, { startedAtMs, endedAtMs }: Ending): number | null {
  const fromMs = startedAtMsOf(one) ?? startedAtMs ?? null;
  return endedAtMs === null || fromMs === null ? null : endedAtMs - fromMs;
}

/** The word of `retry_on` for an end; null for one that ended well. */
function causeOf({ state, exitCode, cause }: Ending): Cause | null {
  if (cause !== undefined) return cause;
  if (state === "end") return exitCode === 0 ? null : "exit";
  return state === "kill" ? "killed" : state === "crash" ? "crash" : "start";
}
