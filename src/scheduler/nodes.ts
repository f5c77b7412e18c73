/**
 * Machines that come and go: their links are closed when nobody needs them any more, and what has gone is forgotten.
 * Part of the core; pure but for the context that it changes.
 *
 * @module
 */

import type { RunContext } from "./context.ts";
import type { Links } from "./links.ts";
import type { Lost } from "./lost.ts";
import { Machines, type MachineState } from "./machines.ts";

/** The nodes of a run. */
export class Nodes {
  readonly #run: RunContext;
  readonly #lost: Lost;
  readonly #links: Links;

  constructor(run: RunContext, parts: { lost: Lost; links: Links }) {
    this.#run = run;
    this.#lost = parts.lost;
    this.#links = parts.links;
  }

  /** Leaves those on which nothing is in flight and nothing will start. */
  leave(): void {
    if (!this.#run.machines.hasNodes) return;
    for (const state of [...this.#run.machines.all()]) {
      if (state.isNode && state.phase !== "connecting" && !this.#isNeeded(state)) this.#leave(state);
    }
  }

  #isNeeded({ key, isOver }: MachineState): boolean {
    if (this.#run.inFlight.anyOn(key) || this.#lost.anyOn(key)) return true;
    return !isOver && this.#links.offers(key);
  }

  #leave(state: MachineState): void {
    if (state.openedAtMs !== null) {
      Machines.close(state, this.#run.nowMs);
      this.#run.effects.push({ type: "disconnect", machine: state.key });
    }
    // One that is over is remembered while its host is listed: it is not connected again.
    if (!state.isOver || !this.#links.offers(state.key)) this.#run.machines.forget(state.key);
  }
}
