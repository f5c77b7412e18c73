/**
 * The options that both ways of `cms queue run` share, and what they begin: a run here, or one in the background.
 *
 * @module
 */

import { type Command, InvalidArgumentError, Option, type OptionValues } from "@commander-js/extra-typings";
import type { Context } from "../context.ts";
import { type Halt, parseHalt } from "../../scheduler/halt.ts";
import { durationText, minutesValue, unquote } from "../names.ts";
import { repeatedPathValue } from "../options.ts";
import { withRefusal } from "../../operations/refusal.ts";
import { noticeWords, webhookUrl } from "../../operations/notices/notice.ts";
import type { RunRequest } from "./watch_run.ts";

const DEFAULT_TIMEOUT_MS = 10 * 60_000;

/** The words as the grammar gives them. */
export interface RunOptions {
  /** In ms. */
  readonly timeout?: number;
  readonly timeLimit?: string;
  readonly background?: true;
  /** File for the reason why the run does not begin; only a run that was started in the background has it. */
  readonly refusal?: string;
  readonly halt?: Halt;
  readonly collect?: "output" | "all";
  readonly push?: readonly string[];
  readonly verbose?: true;
  readonly onEnd?: string;
  readonly onFail?: string;
  readonly onDone?: string;
  readonly webhook?: string;
}

/** Adds the options. */
export function withRunOptions<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
): Command<A, O & RunOptions, G> {
  const help = "how long a host may be silent before its jobs count as crashed (default: 10; or 90s, 2h)";
  return command
    .option("--timeout <minutes>", help, minutesValue)
    .option(
      "--time-limit <duration>",
      "how long a job without a time limit of its own may run, such as 30m",
      durationText,
    )
    .option(
      "--halt <rule>",
      "halt when so many jobs fail, succeed, are done: soon,fail=3, now,success=1, soon,done=50%",
      haltValue,
    )
    .option(
      "--collect <what>",
      "output: what jobs have written comes to EXPERIMENT/JOB here as they end; queue log reads it there; all: so do " +
        "the files that queue fetch would bring",
      collectValue,
    )
    .option(
      "--push <path>",
      "a file or directory here that each machine gets into its home directory before its first job; repeatable",
      repeatedPathValue,
    )
    .option("--verbose", "say which files were sent, and by which way: rsync, or tar where one end has no rsync")
    .option(
      "--on-end <command>",
      "command to run here for each job that is over; docs/jobs.md has its variables",
      unquote,
    )
    .option("--on-fail <command>", "the same for each job that did not end well", unquote)
    .option("--on-done <command>", "the same for the end of the run", unquote)
    .option("--webhook <url>", "address to which all of that is posted as JSON", (value) => webhookUrl(unquote(value)))
    .option("--background", "return when the run has begun; queue stop ends it")
    .addOption(new Option("--refusal <file>").hideHelp()) as unknown as Command<
      A,
      O & RunOptions,
      G
    >;
}

function haltValue(value: string): Halt {
  return parseHalt(unquote(value));
}

function collectValue(value: string): "output" | "all" {
  const what = unquote(value);
  if (what === "output" || what === "all") return what;
  throw new InvalidArgumentError("Use output or all.");
}

/** What a way of running adds to the options. `hosts`: as `--hosts` has them. */
export type Way =
  | { readonly scheduler: "fifo"; readonly maxParallel: number }
  | (
    & { readonly scheduler: "fifo_multi"; readonly hostWords: string | undefined }
    & Pick<
      Extract<RunRequest, { scheduler: "fifo_multi" }>,
      "hosts" | "cluster" | "isGpuIdle"
    >
  );

/** Runs the queue and shows it, or starts that in the background. */
export async function begin(
  context: Context,
  queue: RunRequest["queue"],
  way: Way,
  { timeout = DEFAULT_TIMEOUT_MS, timeLimit, background, refusal, halt, collect, push, verbose, ...wishes }: RunOptions,
): Promise<void> {
  if (background !== true) {
    const { runAndWatch } = await import("./watch_run.ts");
    const run = { queue, timeoutMs: timeout, timeLimit, halt, collect, push, ...way };
    return await withRefusal(context.deps, refusal, () => runAndWatch(context, run, wishes, verbose));
  }
  const { startRun } = await import("../../operations/start_run.ts");
  const options = [
    ...halt === undefined ? [] : [`--halt=${halt.text}`],
    ...timeLimit === undefined ? [] : [`--time-limit=${timeLimit}`],
    ...collect === undefined ? [] : [`--collect=${collect}`],
    ...(push ?? []).map((path) => `--push=${path}`),
    ...verbose === true ? ["--verbose"] : [],
    ...way.scheduler === "fifo_multi" && way.isGpuIdle === true ? ["--gpu-idle"] : [],
    ...noticeWords(wishes),
  ];
  const { pid, log } = await startRun(
    context.deps,
    way.scheduler === "fifo"
      ? { queue, timeoutMs: timeout, options, ...way }
      : { queue, timeoutMs: timeout, options, scheduler: way.scheduler, cluster: way.cluster, hosts: way.hostWords },
  );
  context.lines.info(`Running queue ${queue.name} in the background: pid ${pid}, log ${log}`);
}
