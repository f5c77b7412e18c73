/**
 * The result of a bench: model, and its text. Pure.
 *
 * @module
 */

import type { Bench, Mark, Measure, Plan } from "./bench.ts";
import { type Answer, answer, type Sample, type Spread, spreadOf, valuesOf } from "./statistics.ts";

/** All that came out of one bench; goes into the JSON file as it is. */
export interface Result {
  /** Name of the bench. */
  readonly bench: string;
  /** The work, in one line. */
  readonly work: string;
  /** What `value`, `median`, `min` and `max` of the contenders are. */
  readonly measure: Measure;
  /** Counted rounds. */
  readonly rounds: number;
  /** One for each contender, in the order of the plan. */
  readonly contenders: readonly (Spread & { readonly name: string; readonly amount: number; readonly ms: Spread })[];
  /** In the order of the plan. */
  readonly answers: readonly Answer[];
  /** Every run, in order. */
  readonly samples: readonly Sample[];
}

/** Puts a result together. @throws {RangeError} If a contender has no sample. */
export function resultOf(bench: Pick<Bench, "name" | "measure">, plan: Plan, samples: readonly Sample[]): Result {
  const names = new Set(plan.contenders.map(({ name }) => name));
  const questions = plan.questions.filter(({ of, to }) => names.has(of) && (to === null || names.has(to)));
  return {
    bench: bench.name,
    work: plan.work,
    measure: bench.measure,
    rounds: new Set(samples.map(({ round }) => round)).size,
    contenders: plan.contenders.map(({ name, amount }) => {
      const own = samples.filter(({ contender }) => contender === name);
      return { name, amount, ...spreadOf([...valuesOf(own, name).values()]), ms: spreadOf(own.map(({ ms }) => ms)) };
    }),
    answers: questions.map((question) => answer(samples, question)),
    samples,
  };
}

/** The result for a reader: a table of the contenders, and one of what was asked. */
export function renderResult(result: Result): string {
  const rounds = `${result.rounds} ${result.rounds === 1 ? "round" : "rounds"}`;
  const contenders = result.contenders.map((one) => [one.name, spreadText(one), number(one.ms.median)]);
  const answers = result.answers.map((one) => [
    one.to === null ? one.of : `${one.of} / ${one.to}`,
    spreadText(one),
    one.mark === null ? "" : markText(one.mark),
    one.reached === null ? "" : one.reached ? "reached" : "MISSED",
  ]);
  const times = result.measure === "ms" || result.measure === "figure" ? 2 : 3;
  const head = [result.bench, `${result.measure}, median (min..max)`, "ms a run"];
  const lines = [`${result.bench}: ${result.work}; ${rounds}`, ""];
  lines.push(...table([head, ...contenders].map((row) => row.slice(0, times))));
  const heads = ["ratio in the same round, or figure", "median (min..max)", "mark", ""];
  if (answers.length > 0) lines.push("", ...table([heads, ...answers]));
  return lines.map((line) => `${line}\n`).join("");
}

function spreadText({ median, min, max }: Spread): string {
  return min === max ? number(median) : `${number(median)} (${number(min)}..${number(max)})`;
}

function markText(mark: Mark): string {
  if ("atLeast" in mark) return `>= ${number(mark.atLeast)}`;
  return "below" in mark ? `< ${number(mark.below)}` : `<= ${number(mark.atMost)}`;
}

/** Three digits that count; more only before the point. */
function number(value: number): string {
  if (value >= 99.95) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/** Columns to their widest cell, with a line below the first row. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
  return [lines[0]!, widths.map((width) => "-".repeat(width)).join("  ").trimEnd(), ...lines.slice(1)];
}
