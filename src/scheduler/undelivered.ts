/**
 * What the core decided and the run has not carried out yet. That is little and for a moment, unless it could not be
 * written, or not made durable (a full disk).
 *
 * @module
 */

import { attemptId, type AttemptRef } from "../job/attempt.ts";
import { isWaiting } from "../job/states.ts";
import type { Change, Jobs } from "../store/changes.ts";
import type { Effect } from "./events.ts";
import { startsAlike } from "./start_request.ts";

/** Effects whose changes may not be written yet. */
export class Undelivered {
  #effects: Effect[] = [];
  /** Of so many, the first, the changes are written, durably or not. */
  #written = 0;

  get size(): number {
    return this.#effects.length;
  }

  add(effects: readonly Effect[]): void {
    this.#effects.push(...effects);
  }

  /** All of them, to be carried out: their changes are written. */
  take(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    this.#written = 0;
    return effects;
  }

  /** All changes stand in the journal. */
  written(): void {
    this.#written = this.#effects.length;
  }

  /** The changes to be written. */
  changes(): Change[] {
    return this.#effects.slice(this.#written).flatMap((effect) => effect.type === "change" ? [effect.change] : []);
  }

  /** True if a change among them must be durable before anything else is done. */
  get isDurable(): boolean {
    return this.#effects.some((effect) => effect.type === "change" && effect.durable);
  }

  /**
   * Takes out of what is to be carried out what was decided and could not be written, about jobs that somebody deleted,
   * replaced or changed since.
   * @returns The attempts of these jobs that were to start, or to fail to. Their jobs are to be considered anew.
   */
  takeBack(jobs: Jobs): AttemptRef[] {
    const undone = new Map<string, AttemptRef>();
    const isLeft = (effect: Effect): boolean => {
      if (effect.type === "change") {
        const { of } = effect;
        const job = jobs.get(of.name);
        if (!isWaiting(of.status)) return job?.id === of.id;
        if (job !== undefined && startsAlike(job, of)) return true;
        undone.set(of.name, { job: of.name, attempt: attemptId({ ...of, attempt: of.attempt + 1 }) });
        return false;
      }
      // A start that is only sent again was written down long ago.
      if (effect.type === "start") return undone.get(effect.request.job)?.attempt !== effect.request.attempt;
      const { event } = effect.type === "report" ? effect : { event: null };
      return !((event?.type === "starting" || event?.type === "ended") && undone.has(event.job));
    };
    const written = this.#effects.slice(0, this.#written);
    const left = this.#effects.slice(this.#written).filter(isLeft);
    this.#effects = [...written, ...left];
    if (undone.size === 0) return [];
    // A number that was never used is the next one's, and must not be forbidden on a host.
    const isUsed = ({ job, attempt }: AttemptRef): boolean => undone.get(job)?.attempt !== attempt;
    const used = left.flatMap((effect): Effect[] => {
      if (effect.type === "finish") return [];
      if (effect.type === "recall") return [{ ...effect, attempts: effect.attempts.filter(isUsed) }];
      if (effect.type === "ask") {
        return [{ ...effect, ask: effect.ask.filter(isUsed), forbid: effect.forbid.filter(isUsed) }];
      }
      return [effect];
    });
    this.#effects = [...written, ...used];
    return [...undone.values()];
  }
}
