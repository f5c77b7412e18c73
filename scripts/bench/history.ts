/**
 * Compares the answers of a bench with those of an earlier run, kept as JSON in `bench/history/`. Pure.
 *
 * Only ratios and marks are compared, as figures of two days say more about the machine than about the program.
 *
 * @module
 */

import type { Question } from "./bench.ts";
import type { Result } from "./report.ts";
import type { Answer } from "./statistics.ts";

/** One question that both runs answered. */
export interface Change {
  /** `bench: of / to`. */
  readonly name: string;
  /** Median of the earlier run. */
  readonly before: number;
  /** Median of this run. */
  readonly now: number;
  /** Whether the medians differ for the worse and neither lies within the spread of the other. */
  readonly isWorse: boolean;
}

/** The part of a result that is compared. */
export type Answered = Pick<Result, "bench" | "answers">;

/** Each question of this run that the earlier one answered, too, in the order of this run. */
export function compareWith(before: readonly Answered[], now: readonly Answered[]): Change[] {
  return now.flatMap(({ bench, answers }) => {
    const old = before.find((one) => one.bench === bench)?.answers ?? [];
    return answers.flatMap((answer) => {
      const same = old.find(({ of, to }) => of === answer.of && to === answer.to);
      if (same === undefined || (answer.to === null && answer.mark === null)) return [];
      return [changeOf(bench, same, answer)];
    });
  });
}

/** The changes for a reader, one line each. */
export function renderChanges(changes: readonly Change[]): string {
  return changes.map(({ name, before, now, isWorse }) =>
    `${isWorse ? "WORSE" : "ok   "}  ${name}: ${before.toPrecision(3)} before, ${now.toPrecision(3)} now\n`
  ).join("");
}

function changeOf(bench: string, before: Answer, now: Answer): Change {
  const isApart = now.median < before.min || now.median > before.max;
  const isApartBack = before.median < now.min || before.median > now.max;
  const isLower = now.median < before.median;
  return {
    name: `${bench}: ${now.to === null ? now.of : `${now.of} / ${now.to}`}`,
    before: before.median,
    now: now.median,
    isWorse: isApart && isApartBack && isLower === isMoreBetter(now),
  };
}

/** Whether a higher value is the better one. What has no mark is a rate beside a peer. */
function isMoreBetter({ mark }: Question): boolean {
  return mark === null || "atLeast" in mark;
}
