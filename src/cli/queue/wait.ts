/**
 * `cms queue wait`.
 *
 * @module
 */

import { noSuchJob } from "../../operations/sentences.ts";
import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { InvalidError } from "../../errors.ts";
import { parseDuration } from "../../names/units.ts";
import type { WaitGoal, WaitNumbers } from "../../operations/wait_goals.ts";
import type { WaitResult } from "../../operations/wait_jobs.ts";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { StatusLine } from "../output/progress.ts";
import { selectionOf, withSelection } from "./selection.ts";

/** Exit status where the time is over, as the program `timeout` has it. */
const TIMED_OUT = 124;
const INTERRUPTED = 130;
const GOALS: readonly WaitGoal[] = ["over", "started", "ended-well"];

/** Adds the command to its group. */
export function addWait(group: CommandUnknownOpts, context: Context): void {
  withSelection(queueVerb(group, "wait", "wait until jobs are over"))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .option("--for <goal>", "over, started or ended-well (default: over)", goalValue)
    .option("--any", "return when the first of them is there")
    .option("--timeout <duration>", "give up after so long, such as 30m; exit status 124", durationValue)
    .addOption(noRunOption())
    .addHelpText(
      "after",
      examples("cms queue wait a", "cms queue wait a --name=train[1-4] --for=ended-well --timeout=2h && ./report.sh"),
    )
    .action(async (word, given, { queue: name, experiment, for: goal, any, timeout, ...words }) => {
      const { deps, io, lines } = context;
      const { noRun = "wait" } = words as { noRun?: "fail" | "wait" };
      const { queue, job } = queueAndJob(context, word, given, {
        ...(name && { queue: name }),
        ...(experiment && { experiment }),
      });
      const selection = await selectionOf(words, job);
      const { waitJobs } = await import("../../operations/wait_jobs.ts");
      const screen = io.outIsTerminal && deps.environment.get("TERM") !== "dumb"
        ? new StatusLine(io, deps.clock)
        : null;
      const interrupts = io.interrupts();
      try {
        const request = {
          queue,
          selection,
          goal: goal ?? "over",
          isAny: any === true,
          timeoutMs: timeout ?? null,
          noRun,
        };
        const result = await waitJobs(deps, request, {
          stop: interrupts.stop,
          onNumbers: (numbers) => screen?.show(() => numbersText(numbers)),
          onNoRun: () => (screen ?? io).err(`WARNING: No run works on queue ${queue.name}; waiting goes on\n`),
        });
        screen?.close();
        for (const one of result.missing) lines.warning(noSuchJob(queue, one));
        if (result.outcome === "no_run") lines.error(`No run works on queue ${queue.name}: cms queue run starts one`);
        context.status = statusOf(result);
      } finally {
        screen?.close();
        interrupts.release();
      }
    });
}

function statusOf({ outcome, failed, missing }: WaitResult): number {
  if (outcome === "timeout") return TIMED_OUT;
  if (outcome === "interrupted") return INTERRUPTED;
  return outcome !== "there" || failed > 0 || missing.length > 0 ? 1 : 0;
}

function numbersText({ there, failed, pending }: WaitNumbers): string {
  return `${there} of ${there + pending} there, ${failed} failed`;
}

function goalValue(value: string): WaitGoal {
  const goal = GOALS.find((known) => known === unquote(value));
  if (goal !== undefined) return goal;
  throw new InvalidArgumentError(`Use one of ${GOALS.join(", ")}.`);
}

/**
 * `--no-run`, which the grammar's library would take for the opposite of `--run`; its types know it by another name.
 */
function noRunOption(): Option<"--without-run <what>", undefined, undefined, "fail" | "wait"> {
  const option = new Option("--no-run <what>", "where no run works on the queue: wait, or fail (default: wait)");
  option.negate = false;
  return option.argParser(noRunValue) as never;
}

function noRunValue(value: string): "fail" | "wait" {
  const word = unquote(value);
  if (word === "fail" || word === "wait") return word;
  throw new InvalidArgumentError("Use fail or wait.");
}

/** Reads a duration, such as `30m`, as milliseconds. */
export function durationValue(value: string): number {
  try {
    return parseDuration(unquote(value));
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    throw new InvalidArgumentError("Write it as 90s, 30m, 2h or 1h30m.");
  }
}
