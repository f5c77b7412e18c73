/**
 * What the run believes of an attempt that nobody watched for a while, when its host says what it knows. Part of the
 * core; pure but for the context that it changes. The table is in `docs/architecture.md`, "Starting, and starting
 * again".
 *
 * @module
 */

import { endOfAllocation } from "../agent/boot.ts";
import { attemptId, attemptNumber } from "../job/attempt.ts";
import type { AttemptState } from "../link/link.ts";
import type { Attempts } from "./attempts.ts";
import type { Away } from "./away.ts";
import type { Backlogs } from "./backlogs.ts";
import { report, type RunContext } from "./context.ts";
import { type Ending, UNSEEN, whyOf } from "./endings.ts";
import { backlogOf, type InFlight, isRecalled, isUnseen } from "./in_flight.ts";

/** Pause before asking again about an attempt that was just being claimed. */
const ASK_AGAIN_MS = 1_000;
/**
 * An attempt is given up when it was asked about so often: its host can neither start it nor forbid it, for ten minutes
 * or longer.
 */
const ASK_LIMIT = 600;

/** What hosts answer. */
export class Answers {
  readonly #run: RunContext;
  readonly #attempts: Attempts;
  readonly #backlogs: Backlogs;
  readonly #away: Away;

  constructor(run: RunContext, parts: { attempts: Attempts; backlogs: Backlogs; away: Away }) {
    this.#run = run;
    this.#attempts = parts.attempts;
    this.#backlogs = parts.backlogs;
    this.#away = parts.away;
  }

  /**
   * Its start met a claim of its number. If it was sent only once, the number was used by a run of which the queue
   * knows nothing any more, as when an old copy of its file was put back: its end is none of this start's, which gets
   * the next number.
   */
  met(one: InFlight, state: AttemptState, gaveBack = false): void {
    const isOver = state.type === "ended" || state.type === "crashed";
    const { stage } = one;
    const isResent = stage.at === "sent" && stage.isResent;
    if (!isUnseen(one) || isResent || isRecalled(one) || !isOver) return this.learn(one, state, gaveBack);
    const text = `Job ${one.job} had an attempt ${
      attemptNumber(one.attempt)
    } on ${one.shown} before, of which its queue knows nothing: it is started anew`;
    report(this.#run, { type: "warning", text });
    this.#attempts.putBack(one);
  }

  /** Takes in what the host knows of the attempt. */
  learn(one: InFlight, state: AttemptState, gaveBack = false): void {
    const run = this.#run;
    const inherited = one.stage.at === "inherited";
    const revived = inherited || (one.stage.at === "given_up" && one.request === null);
    const machine = one.shown;
    const elsewhere = this.#away.machineOf(one, state);
    if (elsewhere !== null) return this.#away.add(one, elsewhere);
    this.#away.remove(one);
    if ("directory" in state && state.directory !== undefined) this.#attempts.beside(one, state.directory);
    switch (state.type) {
      case "away":
        return;
      case "alive":
        // Whatever was last sent to the host may be lost.
        if (one.limit !== null) one.limit = "unknown";
        this.#attempts.started(one, state.pid, state.startedAtMs, state.slot);
        if (revived) report(run, { type: "adopted", job: one.job, machine });
        return;
      case "ended":
        if (revived) report(run, { type: "found", job: one.job, state: state.state, machine });
        return this.#attempts.end(one, { ...state, ...whyOf(state) }, gaveBack);
      case "crashed":
        if (inherited) report(run, { type: "found", job: one.job, state: "crash", machine });
        return this.#attempts.end(one, { ...this.#lostWith(one, "its process is gone"), exitCode: state.exitCode });
      case "forbidden":
        // A host that contradicts itself: what was said to run is never started again unasked.
        if (one.stage.at === "running" || this.#isSaidToRun(one)) {
          if (inherited) report(run, { type: "found", job: one.job, state: "crash", machine });
          return this.#attempts.end(one, { ...UNSEEN, state: "crash", reason: "the host says it never started" });
        }
        if (one.isKillWanted) {
          const reason = "before it started";
          return this.#attempts.end(one, { ...UNSEEN, state: "kill", reason, isOurs: true, isUnstarted: true }, true);
        }
        if (inherited) report(run, { type: "found", job: one.job, state: "never started, waits again", machine });
        return this.#attempts.putBack(one);
      case "claimed": {
        if (++one.timesAsked > ASK_LIMIT) {
          if (one.stage.at === "given_up") return;
          return this.#attempts.giveUp(
            one,
            `${machine} was asked ${ASK_LIMIT} times whether it was started, and could not say`,
          );
        }
        one.question = { type: one.question?.type ?? "ask", isDue: true };
        const asked = run.machines.get(one.machine);
        if (asked !== undefined) asked.askAtMs = run.nowMs + ASK_AGAIN_MS;
        return;
      }
      case "none":
        // No trace: the host was started anew, or the directory removed. It may have run, so it is never started again
        // unasked.
        if (inherited) report(run, { type: "found", job: one.job, state: "crash", machine });
        return this.#attempts.end(one, this.#lostWith(one, "the host has no trace of it"));
      case "other":
        if (inherited) report(run, { type: "found", job: one.job, state: "crash", machine });
        return this.#attempts.end(one, {
          ...UNSEEN,
          state: "crash",
          reason: `another attempt (${state.attempt}) holds its directory`,
        });
      default:
        state satisfies never;
    }
  }

  /** How an attempt ended of which nothing is left: with its allocation, if that is over. */
  #lostWith(one: InFlight, reason: string): Ending {
    const machine = this.#run.machines.get(one.machine);
    // Slurm may give the id to another allocation, after a crash of its own.
    const isAnother = machine?.isNode === true && one.boot !== null && one.boot !== machine.boot;
    const word = endOfAllocation(machine?.boot ?? null) ?? (isAnother ? "GONE" : null);
    if (word === null) return { ...UNSEEN, state: "crash", reason };
    return { ...UNSEEN, state: "crash", reason: `its allocation ended: ${word}`, isEndOfMachine: true };
  }

  /** The fate of an attempt that was recalled. */
  recalled(one: InFlight, state: AttemptState | undefined): void {
    if (!isRecalled(one)) return;
    one.question = null;
    // `claimed`: its host is just letting it in, and will say so; or the claim could not be made (a full disk).
    const known = state ?? { type: "claimed" };
    if (known.type === "claimed" && backlogOf(one) !== null && ++one.timesAsked <= ASK_LIMIT) {
      return this.#backlogs.notRecalled(one);
    }
    this.learn(one, known);
  }

  /** True if the host said to an earlier run that it runs. */
  #isSaidToRun(one: InFlight): boolean {
    const job = this.#run.jobs.get(one.job);
    return job !== undefined && job.status === "start" && attemptId(job) === one.attempt;
  }
}
