/**
 * Attempts that live on another machine than the one that their machine's name leads to now. Part of the core; pure
 * but for the context that it changes. `docs/architecture.md`, "Which machine it is", has the rules.
 *
 * @module
 */

import { hostOfMachine, isElsewhere, machineOfBoot } from "../agent/boot.ts";
import type { AttemptState } from "../link/link.ts";
import type { Backlogs } from "./backlogs.ts";
import { report, type RunContext } from "./context.ts";
import { backlogOf, type InFlight, startedAtMsOf } from "./in_flight.ts";

/** How often a host is asked about what lives on another machine. */
const LOOK_MS = 30_000;

/** What is known to live elsewhere. */
export class Away {
  readonly #run: RunContext;
  readonly #backlogs: Backlogs;
  /** By attempt, and whether that was reported. */
  readonly #away = new Map<string, { readonly one: InFlight; readonly host: string; isTold: boolean }>();
  #hasNews = false;

  constructor(run: RunContext, backlogs: Backlogs) {
    this.#run = run;
    this.#backlogs = backlogs;
  }

  /** The machine that alone can say what became of it, if that is not the one that was asked. */
  machineOf(one: InFlight, state: AttemptState): string | null {
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
  add(one: InFlight, machine: string): void {
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
    if (!hasSlot) {
      slots.adopt(one.job, one.machine, jobs.get(one.job)?.slot ?? null, one.share);
      if (one.share !== null) this.#backlogs.doubt(one.machine);
    }
    if (one.stage.at === "given_up") return;
    const backlog = backlogOf(one);
    inFlight.setStage(one, { at: "away", host, startedAtMs: startedAtMsOf(one) });
    if (backlog !== null) this.#backlogs.leave(backlog);
  }

  /** It is over, or its own machine has answered. */
  remove(one: InFlight): void {
    this.#away.delete(one.attempt);
  }

  /** Reports those that proved to live elsewhere, once each. */
  report(): void {
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
}
