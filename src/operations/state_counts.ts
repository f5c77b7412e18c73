/**
 * How many jobs of a large queue are where, followed without a name of any of them: by the counts in the head of its
 * journal, and by what each record says of the state before it. Pure.
 *
 * @module
 */

import { isFailed } from "../job/outcome.ts";
import { JOB_STATES, type JobState } from "../job/states.ts";
import type { StateMove } from "../store/journal/state_line.ts";
import { isAsWritten } from "../store/large/checkpoint_due.ts";
import { readSummary } from "../store/large/summary_text.ts";
import type { FeedBegin } from "../store/state_feed.ts";
import type { WaitGoal, WaitNumbers } from "./wait_goals.ts";

/** See the module. */
export class StateCounts {
  readonly #counts: Record<JobState, number>;
  #failed: number;

  private constructor(counts: Record<JobState, number>, failed: number) {
    this.#counts = counts;
    this.#failed = failed;
  }

  /** null where the journal does not say all: of a small queue, of an edited one, or where jobs were deleted. */
  static from({ header, stamp, moves }: FeedBegin, experiment: string): StateCounts | null {
    if (moves === null || !isAsWritten(header, stamp)) return null;
    const summary = readSummary(header!.written!.summary, experiment);
    if (summary === null) return null;
    const counts = new StateCounts({ ...summary.counts }, summary.failed);
    return counts.takeAll(moves) ? counts : null;
  }

  /** Takes in records, in order. @returns False if one does not say enough: then the counts are worth nothing. */
  takeAll(moves: readonly StateMove[]): boolean {
    return moves.every((move) => this.#take(move));
  }

  /** Where the jobs are, as a wait for this sees them. */
  numbers(goal: WaitGoal): WaitNumbers {
    const of = (...states: JobState[]): number => states.reduce((sum, state) => sum + this.#counts[state], 0);
    const total = of(...JOB_STATES);
    switch (goal) {
      case "over":
        return numbersOf(total, of("undefined", "ready", "run", "start"), this.#failed);
      case "started":
        return numbersOf(total, of("undefined", "ready", "run"), of("fail_start"));
      case "ended-well":
        return numbersOf(total, of("undefined", "ready", "run", "start") + this.#failed, this.#failed);
      default:
        return goal satisfies never;
    }
  }

  #take({ type, status, exitCode, was, isNew }: StateMove): boolean {
    if (type === "delete" || (type === "put" && isNew !== true)) return false;
    if (status === undefined) return type === "set" && exitCode === undefined;
    const isKnown = status !== "end" || exitCode !== undefined;
    if (type === "put") return isKnown && this.#shift(status, exitCode, 1);
    const from = was?.status;
    if (from === undefined) return false;
    if (from === status && exitCode === undefined) return true;
    if (!isKnown || (from === "end" && was?.exitCode === undefined)) return false;
    return this.#shift(from, was?.exitCode, -1) && this.#shift(status, exitCode, 1);
  }

  #shift(status: JobState, exitCode: number | null | undefined, by: 1 | -1): true {
    this.#counts[status] += by;
    if (isFailed({ status, exit_code: exitCode ?? null })) this.#failed += by;
    return true;
  }
}

function numbersOf(total: number, pending: number, failed: number): WaitNumbers {
  return { there: total - pending, failed, pending };
}
