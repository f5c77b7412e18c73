/**
 * What a link knows to be in flight on its machine, so that each end is reported once, whoever noticed it: the job's
 * wrapper, a watcher, or the link's own look.
 *
 * @module
 */

import type { AttemptRef } from "../job/attempt.ts";
import type { AttemptEvent, AttemptState } from "../agent/attempt.ts";
import type { LinkEvent } from "./link.ts";

interface Followed extends AttemptRef {
  /** When the start was sent; 0 for a job that was found alive. */
  readonly sentMs: number;
  /** False until the host has said anything about it. */
  answered: boolean;
}

/** As it stands when its host is asked about it: what the host reports meanwhile may be newer than its answer. */
export interface Asked extends AttemptRef {
  readonly answered: boolean;
}

/** Attempts in flight, and the way of their events to the listener. */
export class UnreportedEnds {
  readonly #onEvent: (event: LinkEvent) => void;
  readonly #followed = new Map<string, Followed>();
  readonly #ended = new Set<string>();

  constructor(onEvent: (event: LinkEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** A start was sent. */
  sent({ job, attempt }: AttemptRef, nowMs: number): void {
    this.#followed.set(attempt, { job, attempt, sentMs: nowMs, answered: false });
  }

  /** The host said that it runs. */
  alive({ job, attempt }: AttemptRef): void {
    if (this.#ended.has(attempt)) return;
    const one = this.#followed.get(attempt);
    if (one !== undefined) one.answered = true;
    else this.#followed.set(attempt, { job, attempt, sentMs: 0, answered: true });
  }

  /** It was never started and never will be. */
  forget({ attempt }: AttemptRef): void {
    this.#followed.delete(attempt);
  }

  /** Passes an event on, unless it is an end that was reported before. */
  tell(event: AttemptEvent): void {
    if (event.type === "ended") {
      if (this.#ended.has(event.attempt)) return;
      this.#ended.add(event.attempt);
    }
    const isOver = event.type === "ended" || event.type === "refused" ||
      (event.type === "known" && event.state.type !== "alive" && event.state.type !== "claimed");
    if (isOver) this.#followed.delete(event.attempt);
    else if (event.type !== "reused" && event.type !== "beside") this.alive(event);
    this.#onEvent(event);
  }

  /** Attempts in flight that were sent before `beforeMs`: to be asked about now. */
  since(beforeMs: number): Asked[] {
    return this.toAsk([...this.#followed.values()].filter(({ sentMs }) => sentMs <= beforeMs));
  }

  /** Attempts that are to be asked about now. */
  toAsk(attempts: readonly AttemptRef[]): Asked[] {
    return attempts.map(({ job, attempt }) => {
      return { job, attempt, answered: this.#followed.get(attempt)?.answered === true };
    });
  }

  /** Those of them about which the host has said nothing yet. */
  unanswered(attempts: readonly Asked[]): Asked[] {
    return attempts.filter(({ attempt }) => this.#followed.get(attempt)?.answered === false);
  }

  /** Turns states that were asked for into the events that nobody else reported. */
  settle(attempts: readonly Asked[], states: readonly AttemptState[], nowMs: number): void {
    for (const [i, ref] of attempts.entries()) {
      const state = states[i];
      if (state === undefined || !this.#followed.has(ref.attempt)) continue;
      const { job, attempt } = ref;
      if (state.type === "ended") {
        const { state: end, exitCode, endedAtMs, limit } = state;
        const why = limit === undefined ? {} : { limit };
        this.tell({ type: "ended", job, attempt, state: end, exitCode, atMs: endedAtMs ?? nowMs, ...why });
      } else if (state.type === "crashed") {
        this.tell({ type: "ended", job, attempt, state: "crash", exitCode: state.exitCode, atMs: nowMs });
      } else if (state.type === "none" && ref.answered) {
        // It ran, and its directory is gone: nobody else will ever report it. One that began since it was asked about
        // had left no trace then, and runs.
        this.tell({ type: "ended", job, attempt, state: "crash", exitCode: null, atMs: nowMs });
      }
    }
  }

  /** Tells of starts that got lost on the host, and that it was made certain of now that they never happen. */
  settleLost(attempts: readonly Asked[], states: readonly AttemptState[], nowMs: number): void {
    this.settle(attempts, states, nowMs);
    for (const [i, { job, attempt }] of attempts.entries()) {
      const state = states[i];
      if (state?.type !== "forbidden") continue;
      this.tell({ type: "refused", job, attempt, reason: state.reason ?? "the host could not carry out the start" });
    }
  }
}
