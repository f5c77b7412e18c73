/**
 * The options by which a command chooses jobs; the same for each command that takes them.
 *
 * @module
 */

import { noSuchJob } from "../../operations/sentences.ts";
import type { Command, OptionValues } from "@commander-js/extra-typings";
import type { Selection } from "../../operations/select_jobs.ts";
import type { StoreRef } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { listValue, repeatedValue } from "../options.ts";

/** The words as the grammar gives them. */
export interface SelectionOptions {
  readonly name?: string;
  readonly status?: string;
  readonly failed?: true;
  readonly where?: string[];
  readonly tag?: string[];
  readonly exitCode?: string;
}

/** Adds `--name`, `--status`, `--failed`, `--where`, `--tag` and `--exit-code`. */
export function withSelection<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
): Command<A, O & SelectionOptions, G> {
  return command
    .option("--name <name>", "only these jobs; a list such as job[1-10]", listValue)
    .option("--status <states>", "only jobs in these states, such as end,crash", listValue)
    .option("--failed", "only jobs that are over and did not end well")
    .option(
      "--where <condition>",
      "only jobs for which this holds, such as exit_code!=0 or param.lr<0.1; repeatable",
      repeatedValue,
    )
    .option("--tag <tag>", "only jobs with this tag, such as night, or by=me; repeatable", repeatedValue)
    .option(
      "--exit-code <codes>",
      "only jobs with these exit codes, such as 1,75,128-255",
      listValue,
    ) as unknown as Command<A, O & SelectionOptions, G>;
}

/** Warns of chosen names that the queue does not have; the command then ends with 1. */
export function warnOfMissing(context: Context, queue: StoreRef, missing: readonly string[]): void {
  for (const job of missing) context.lines.warning(noSuchJob(queue, job));
  if (missing.length > 0) context.status = 1;
}

/** Reads the words, and the job that stands behind the queue's name. @throws {InvalidError} If any cannot be used. */
export async function selectionOf(words: SelectionOptions, job?: string): Promise<Selection> {
  const { readSelection } = await import("../../operations/select_jobs.ts");
  const name = [words.name, job].filter((one) => one !== undefined && one !== "").join(",");
  const { status, failed, where, tag, exitCode } = words;
  return readSelection({ name: name === "" ? undefined : name, status, failed, where, tag, exit_code: exitCode });
}
