/**
 * What really happened to one attempt. Data only; `truth.ts` keeps it.
 *
 * @module
 */

import { attemptNumber } from "../job/attempt.ts";
import type { JobDirectory } from "./job_directory.ts";
import type { NeedPlan } from "./needs.ts";

/** How a job's process ended. */
export type How = "exit" | "signal" | "killed" | "power";

/** A host, as far as the truth has to know it. */
export interface Site {
  readonly key: string;
  readonly name: string;
  readonly isUp: boolean;
  readonly isReachable: boolean;
  readonly nowMs: number;
  readonly parts: { readonly trace: (...words: unknown[]) => void };
}

/** One attempt, as a god sees it. */
export interface AttemptTruth {
  readonly id: string;
  readonly job: string;
  readonly number: number;
  /** The queue whose agent was asked to start it; null if none was. */
  queue: string | null;
  /** Where it writes. */
  directory: JobDirectory | null;
  /** Where, and in which process, the manager decided to start it; null if nobody did. */
  decided:
    | { readonly machine: string; readonly boot: string | null; readonly atMs: number; readonly by: object }
    | null;
  /** The decision was on the disk. */
  isDurable: boolean;
  /** A host got the request. */
  isAsked: boolean;
  starts: number;
  /** As its environment has it on the host; `""` for none. */
  gpu: string;
  /** What its job needed when its start was decided; null where that is not known. */
  need: NeedPlan | null;
  /** Its slot and host, as its environment names them. */
  seat: string;
  /** Devices that its environment names. */
  devices: readonly number[];
  host: Site | null;
  isAlive: boolean;
  how: How | null;
  code: number | null;
  isKillAsked: boolean;
  /** Its job's time limit, null for none; when it was started, epoch ms; whether its limit ended it. */
  limitMs: number | null;
  startedAtMs: number;
  isLimitHit: boolean;
  isWrapperKilled: boolean;
  /** Processes that it has left running. */
  left: number;
  /** Its claim was removed with its directory, as somebody wanted its job reset or deleted: it may be run again. */
  isForgotten: boolean;
  /** The manager was told, or said, that it never started and never will. */
  isNever: boolean;
  /** The manager was silent for the whole time-out: it counts as crashed, until its machine is asked again. */
  isGivenUp: boolean;
  /** It was given up, and the run itself lets its job be tried elsewhere. */
  isLost: boolean;
  /** Its job left the queue, or was reset, while its host did not answer, and somebody was told. */
  isAbandoned: boolean;
  signal: ((signal: "TERM" | "KILL", fromUs: boolean) => void) | null;
}

/** An attempt of which nothing is known yet. */
export function newAttempt(id: string): AttemptTruth {
  return {
    id,
    job: "",
    number: attemptNumber(id),
    queue: null,
    directory: null,
    decided: null,
    isDurable: false,
    isAsked: false,
    starts: 0,
    gpu: "",
    need: null,
    seat: "",
    devices: [],
    host: null,
    isAlive: false,
    how: null,
    code: null,
    isKillAsked: false,
    limitMs: null,
    startedAtMs: 0,
    isLimitHit: false,
    isWrapperKilled: false,
    left: 0,
    isForgotten: false,
    isNever: false,
    isGivenUp: false,
    isLost: false,
    isAbandoned: false,
    signal: null,
  };
}

/** What is wrong with the number of a job's slot among those that run there; null if nothing is. */
export function wrongSeat(attempt: AttemptTruth, there: Iterable<AttemptTruth>): string | null {
  if (!/^slot \d+ of /.test(attempt.seat)) return `no slot (${attempt.seat})`;
  for (const one of there) {
    const counts = one !== attempt && one.queue === attempt.queue && !one.isAbandoned && !one.isGivenUp;
    if (counts && one.seat === attempt.seat) return `${one.seat}, which ${one.id} has`;
  }
  return null;
}

/** Attempts that are alive, by their machines. */
export class AliveOn {
  readonly #sites = new Map<Site, Set<AttemptTruth>>();
  /** The same sets, by the names that lead to the machines. */
  readonly #named = new Map<string, Map<Site, Set<AttemptTruth>>>();

  add(site: Site, attempt: AttemptTruth): void {
    let there = this.#sites.get(site);
    if (there === undefined) {
      this.#sites.set(site, there = new Set());
      this.#named.set(site.name, new Map([...this.named(site.name), [site, there]]));
    }
    there.add(attempt);
  }

  get(site: Site): Set<AttemptTruth> | undefined {
    return this.#sites.get(site);
  }

  /** Those on the machines of a name. */
  named(name: string): Iterable<[Site, Set<AttemptTruth>]> {
    return this.#named.get(name) ?? [];
  }
}
