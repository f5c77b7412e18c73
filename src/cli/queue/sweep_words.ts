/**
 * The words of `cms queue add` that make many jobs from few.
 *
 * @module
 */

import type { Command, OptionValues } from "@commander-js/extra-typings";
import type { Format } from "../../output/records.ts";
import { countValue, formatValue } from "../names.ts";
import { pathValue, repeatedPathValue, repeatedValue } from "../options.ts";

/** As the grammar gives them. */
export interface SweepWords {
  readonly param?: string[];
  readonly paramFile?: string[];
  readonly link?: true;
  readonly eachLine?: string;
  readonly from?: string;
  readonly stdin?: true;
  readonly comments?: true;
  readonly sample?: number;
  readonly seed?: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly format?: Format;
}

/** Adds the words. */
export function withSweepWords<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
): Command<A, O & SweepWords, G> {
  return command
    .option(
      "--param <name=values>",
      "a job for each value: lr=0.1,0.01, seed=1-5, x=0:1:0.25, lr=1e-4:1e-1:log4",
      repeatedValue,
    )
    .option("--param-file <file>", "a job for each row of a .csv, .tsv, .json, .jsonl or .yaml file", repeatedPathValue)
    .option(
      "--link",
      "take the values of --param, and those of :::, together by position, in place of all combinations",
    )
    .option("--each-line <file>", "a job for each line, {} in the command; - is standard input", pathValue)
    .option("--from <file>", "whole jobs: YAML, JSON or JSON lines, as queue files and list --output=json", pathValue)
    .option("--stdin", "for programs: jobs as JSON lines on standard input, an answer on stdout for each")
    .option("--comments", "leave out lines that begin with #")
    .option("--sample <n>", "only so many of all combinations, chosen by chance", countValue)
    .option("--seed <n>", "for --sample: the same seed chooses the same (default: 1)", countValue)
    .option("--yes", "add more than 100,000 jobs (1,000,000 at most)")
    .option("--dry-run", "print what would be added, and add nothing")
    .option(
      "--format <format>",
      "of --dry-run: table, json, yaml or csv, with all jobs",
      formatValue,
    ) as unknown as Command<A, O & SweepWords, G>;
}

const WORDS = [
  "param",
  "paramFile",
  "link",
  "eachLine",
  "from",
  "stdin",
  "comments",
  "sample",
  "seed",
  "dryRun",
  "yes",
  "format",
] as const;

/** Takes the words out of what the grammar gave. @returns Them, and the rest; `sweep` null where none makes a sweep. */
export function splitSweep<T extends SweepWords>(words: T): { sweep: SweepWords | null; rest: T } {
  const rest = { ...words } as Record<string, unknown>;
  const sweep: Record<string, unknown> = {};
  for (const word of WORDS) {
    if (rest[word] !== undefined) sweep[word] = rest[word];
    delete rest[word];
  }
  const isNone = Object.keys(sweep).every((word) => word === "yes");
  return { sweep: isNone ? null : sweep as SweepWords, rest: rest as T };
}
