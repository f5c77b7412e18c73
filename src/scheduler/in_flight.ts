/**
 * The records of what is under way: attempts in flight, the backlogs that some of them wait in, and the slot pools that
 * backlogs belong to. Data only. `InFlightSet` moves attempts from stage to stage, `Backlogs` and `SlotPools` keep the
 * rest.
 *
 * @module
 */

import { limitWord } from "../agent/attempt.ts";
import type { Job } from "../job/job.ts";
import type { StartRequest } from "../link/link.ts";
import { attemptId, type AttemptRef, isAttemptOf } from "../job/attempt.ts";
import { isWaiting } from "../job/states.ts";
import type { SlotHost } from "./slot_host.ts";
import type { Share } from "./fit.ts";

/** Where an attempt stands, as far as the manager knows. Times are epoch ms; a start is by the host's clock. */
export type AttemptStage =
  /** In flight when the run began; its host has not yet said what became of it. */
  | { readonly at: "inherited" }
  /** Prefetched: it waits on its host, and holds no slot. */
  | { readonly at: "backlog"; readonly backlog: Backlog; readonly sinceMs: number }
  /** It holds a slot; its host has not said that it runs. `isResent`: it was sent once more, over another link. */
  | { readonly at: "sent"; readonly backlog: Backlog | null; readonly sinceMs: number; readonly isResent: boolean }
  /** Its host has said that it runs. `backlog`: the one that its slot goes back to. */
  | { readonly at: "running"; readonly backlog: Backlog | null; readonly startedAtMs: number | null }
  /**
   * It holds a slot and lives on `host`, for all that is known: its machine's name leads to another one now, which can
   * neither see nor end it.
   */
  | { readonly at: "away"; readonly host: string; readonly startedAtMs: number | null }
  /** Its machine was silent for too long. If that comes back, it is asked what really happened. */
  | { readonly at: "given_up"; readonly startedAtMs: number | null };

/**
 * What a host was asked about an attempt. `recall`: to claim it so that it never starts. `isDue`: the host was just
 * claiming it, and is to be asked again.
 */
export type Question =
  | { readonly type: "recall"; readonly isDue: boolean }
  | { readonly type: "ask"; readonly isDue: true };

/** One attempt whose start was decided and whose end is not known. */
export interface InFlight extends AttemptRef {
  /** Key of its machine. Changed by `InFlightSet.rename` alone. */
  readonly machine: string;
  /** Its machine as people name it: with the job's own user, also on localhost, which is one machine for all. */
  readonly shown: string;
  /** Boot of the machine when the start was decided; null if unknown. */
  readonly boot: string | null;
  /** What was sent; null for one of an earlier run, which is never sent again. */
  readonly request: StartRequest | null;
  /** What it holds besides one slot; null for nothing. */
  readonly share: Share | null;
  /** Changed by `InFlightSet.setStage` alone. */
  readonly stage: AttemptStage;
  /** What is out and not answered; null for nothing. */
  question: Question | null;
  /** How often its host could not answer. */
  timesAsked: number;
  /** Somebody asked to end it. */
  isKillWanted: boolean;
  /**
   * The time limit that its host was last given, as a word; null: never any. `unknown`: it has one, or may have, as its
   * host was not reached for a while.
   */
  limit: string | null;
  /** Its start was reported. */
  isReported: boolean;
  /**
   * Number of its slot, from 0 on its host; null while that is not known. A backlog gives the slots of its jobs, and
   * their hosts say which.
   */
  slot: number | null;
}

/** Prefetched jobs of one slot pool on their host, until something is in doubt. */
export interface Backlog {
  readonly pool: SlotPool;
  /** What the host knows it by. */
  readonly number: number;
  /** No job of it starts any more; what became of those that were sent is still open. */
  isOver: boolean;
  /** Attempts in stage `backlog`, in the order in which the host lets them in. */
  readonly waiting: Set<InFlight>;
  /** Attempts in stage `sent`. */
  readonly unconfirmed: Set<InFlight>;
  /** How many were recalled. */
  recalls: number;
  /** Numbers of the slots that were put in. */
  readonly slots: Set<number>;
}

/** Hosts of one machine that a job cannot tell apart. */
export interface SlotPool {
  /** Key of the machine. */
  readonly machine: string;
  /** Active hosts with slots; the last that were, where there are none now. */
  hosts: readonly SlotHost[];
  /** Jobs at once; 0 where no host is active. */
  slots: number;
  backlog: Backlog | null;
  /** What its jobs take, a moving mean, ms; null before the first end. */
  jobMs: number | null;
  /** The machine cannot keep backlogs. */
  isUnable: boolean;
}

/** A new record. */
export function inFlight(
  of: Pick<InFlight, "job" | "attempt" | "machine" | "shown" | "boot" | "request" | "share" | "stage" | "slot">,
): InFlight {
  const { request } = of;
  const limit = request?.limit === undefined ? null : limitWord(request.limit);
  return { ...of, limit, question: null, timesAsked: 0, isKillWanted: false, isReported: request === null };
}

/** True if it is an attempt of this very job, and not of one that had its name before. */
export function isOf(one: InFlight, job: Job | undefined): boolean {
  return job !== undefined && isAttemptOf(one.attempt, job.id);
}

/** True if it was given up, and its job reset since: that waits for a start of its own, and its end is nobody's. */
export function isReset(one: InFlight, job: Job | undefined): boolean {
  return job !== undefined && attemptId(job) === one.attempt && isWaiting(job.status);
}

/** The backlog that its slot belongs to; null for none. */
export function backlogOf({ stage }: InFlight): Backlog | null {
  switch (stage.at) {
    case "backlog":
    case "sent":
    case "running":
      return stage.backlog;
    case "inherited":
    case "away":
    case "given_up":
      return null;
    default:
      return stage satisfies never;
  }
}

/** When its job started, by the host's clock; null if unknown. */
export function startedAtMsOf({ stage }: InFlight): number | null {
  return stage.at === "running" || stage.at === "away" || stage.at === "given_up" ? stage.startedAtMs : null;
}

/** Since when an attempt waits for its slot, or for the word of its host; Infinity where it waits for neither. */
export function sinceMsOf({ stage }: InFlight): number {
  return stage.at === "backlog" || stage.at === "sent" ? stage.sinceMs : Infinity;
}

/** True if its start was sent and its host has not said that it runs. */
export function isUnseen({ stage }: InFlight): boolean {
  return stage.at === "backlog" || stage.at === "sent";
}

/** True if it was sent into a backlog, and the host has not said since that it runs. */
export function isUnseenInBacklog(one: InFlight): boolean {
  return isUnseen(one) && backlogOf(one) !== null;
}

/** True while it is being recalled. */
export function isRecalled({ question }: InFlight): boolean {
  return question?.type === "recall";
}
