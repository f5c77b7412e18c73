/**
 * From single runs to figures. Pure.
 *
 * Ratios are made pair by pair within a round and only then put together: the machine's own speed moves by a third
 * within the hour, which a ratio of medians would carry and a median of ratios does not.
 *
 * @module
 */

import type { Contender, Mark, Measure, Question } from "./bench.ts";

/** One run of one contender. */
export interface Sample {
  /** Name of the contender. */
  readonly contender: string;
  /** From 1. */
  readonly round: number;
  /** How long it took. */
  readonly ms: number;
  /** In the bench's measure. */
  readonly value: number;
  /** Share of the processors that others used just before, from 0 to 1; null: not looked at. */
  readonly others: number | null;
}

/** A middle value and how far the others lie from it. */
export interface Spread {
  /** The middle one; the mean of the two in the middle if their number is even. */
  readonly median: number;
  /** The least. */
  readonly min: number;
  /** The greatest. */
  readonly max: number;
}

/** The answer to a question. */
export interface Answer extends Question, Spread {
  /** Whether the median is within the mark; null: there is none. */
  readonly reached: boolean | null;
}

/** Middle and ends of some values. @throws {RangeError} If there are none. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("Cannot take the median of no values");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** The value below which a share (0 to 1) of some values lies. @throws {RangeError} If there are none. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("Cannot take a share of no values");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** A run's time in a bench's measure. */
export function valueOf(measure: Measure, { amount }: Pick<Contender, "amount">, ms: number): number {
  return measure === "ms" || measure === "figure" ? ms : amount / (ms / 1000);
}

/** The values of one contender, by round. */
export function valuesOf(samples: readonly Sample[], contender: string): Map<number, number> {
  const own = samples.filter((sample) => sample.contender === contender);
  return new Map(own.map(({ round, value }) => [round, value]));
}

/** Answers a question from the rounds that have what it names. @throws {RangeError} If no round has. */
export function answer(samples: readonly Sample[], question: Question): Answer {
  const of = valuesOf(samples, question.of);
  const to = question.to === null ? null : valuesOf(samples, question.to);
  const values = [...of].flatMap(([round, value]) => {
    if (to === null) return [value];
    const other = to.get(round);
    return other === undefined ? [] : [value / other];
  });
  const spread = spreadOf(values);
  return { ...question, ...spread, reached: question.mark === null ? null : isReached(question.mark, spread.median) };
}

function isReached(mark: Mark, value: number): boolean {
  if ("atLeast" in mark) return value >= mark.atLeast;
  return "below" in mark ? value < mark.below : value <= mark.atMost;
}
