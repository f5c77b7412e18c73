/**
 * Calls attempts back that were sent to a host and may not have started. Part of the core; pure but for the context
 * that it changes.
 *
 * @module
 */

import { AGAIN_MS, type BacklogTimes } from "./backlog_times.ts";
import type { RunContext } from "./context.ts";
import { backlogOf, type InFlight } from "./in_flight.ts";

/** After so many recalls a new backlog is better: what was recalled stands in the way of those behind. */
export const RECALLS = 32;

/** Recalls of a run. */
export class Recalls {
  readonly #run: RunContext;
  readonly #times: BacklogTimes;

  constructor(run: RunContext, times: BacklogTimes) {
    this.#run = run;
    this.#times = times;
  }

  /**
   * Recalls attempts of one machine, in a backlog or not: they are claimed so that they never start, or prove to run.
   */
  recall(all: readonly InFlight[]): void {
    // After a boot their claims may be lost: they are asked about, and never recalled.
    const those = all.filter((one) => one.boot === this.#run.machines.get(one.machine)?.boot);
    const [first] = those;
    // Without a link they are asked about when it is back.
    if (first === undefined || this.#run.machines.get(first.machine)?.openedAtMs === null) return;
    for (const one of those) {
      one.question = { type: "recall", isDue: false };
      const backlog = backlogOf(one);
      if (backlog !== null && ++backlog.recalls > RECALLS) this.#times.look(0);
    }
    const attempts = those.map(({ job, attempt }) => ({ job, attempt }));
    this.#run.effects.push({ type: "recall", machine: first.machine, attempts });
  }

  /** A recall had no answer: it is tried again in a while. */
  failed(one: InFlight): void {
    this.#times.look(AGAIN_MS);
    const { stage } = one;
    // Behind the others, in order of `sinceMs`.
    if (stage.at === "backlog" || stage.at === "sent") {
      this.#run.inFlight.setStage(one, { ...stage, sinceMs: this.#run.nowMs });
    }
  }
}
