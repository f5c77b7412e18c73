/**
 * The terms of hosts that are not there for ever: how long they last, and how many jobs they take in all. Pure.
 *
 * @module
 */

import type { Job } from "../job/job.ts";
import { type Needs, needsOf, withTime } from "../job/needs.ts";
import { parseDuration } from "../names/units.ts";
import type { SlotHost } from "./slot_host.ts";

/** The terms of a run's hosts. */
export class Terms {
  /** Hosts have an end: how long a job may take counts. */
  #isTimed = false;
  /** Of jobs that have none of their own. */
  readonly #timeLimit: string | null;
  /** Jobs that a host has had which takes only so many. */
  readonly #taken = new Map<string, number>();

  constructor(timeLimit: string | null) {
    this.#timeLimit = timeLimit;
  }

  /** The hosts are others now. */
  setHosts(hosts: readonly SlotHost[]): void {
    this.#isTimed = hosts.some(({ time }) => time !== undefined);
    if (this.#taken.size === 0) return;
    const ids = new Set(hosts.map(({ id }) => id));
    for (const id of this.#taken.keys()) if (!ids.has(id)) this.#taken.delete(id);
  }

  /** What a job needs besides one slot; null for nothing. Where hosts have an end, so much time as it may take. */
  needsOf(job: Job): Needs | null {
    const needs = needsOf(job);
    const limit = this.#isTimed ? job.time_limit ?? this.#timeLimit : null;
    return limit === null ? needs : withTime(needs, parseDuration(limit));
  }

  /** True if a job that is started there now may end there. */
  lasts({ time }: SlotHost, needs: Needs, nowMs: number): boolean {
    return time === undefined || nowMs + needs.timeMs <= time.untilMs;
  }

  /** A job has got a slot of the host. */
  took({ id, jobs }: SlotHost): void {
    if (jobs !== undefined) this.#taken.set(id, (this.#taken.get(id) ?? 0) + 1);
  }

  /** How many more jobs it takes. */
  left({ id, jobs }: SlotHost): number {
    return jobs === undefined ? Infinity : jobs - (this.#taken.get(id) ?? 0);
  }
}
