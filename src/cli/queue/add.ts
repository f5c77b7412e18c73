/**
 * `cms queue add`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CmsError } from "../../errors.ts";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { stateValue, unquote } from "../names.ts";
import { type GivenVariables, listValue, withOwnValues } from "../options.ts";
import { splitArguments } from "./argument_sources.ts";
import { splitSweep, withSweepWords } from "./sweep_words.ts";
import { splitOptions, withOptionWords } from "./option_words.ts";

/** Adds the command to its group. */
export function addAdd(group: CommandUnknownOpts, context: Context): void {
  const text = (value: string) => unquote(value);
  const command = queueVerb(group, "add", "add jobs to a queue; a job of the same name is replaced and keeps its place")
    .option("--name <name>", "name of the job, or a list such as job[1-10] (required)", listValue)
    .option(
      "--command <command>",
      "what to run; blanks need quotes: --command='sleep 10' (required)",
      text,
    )
    .option("--input <path>", "input of the command (default: NAME/input)", text)
    .option("--output <file>", "file for its output (default: NAME.out)", text)
    .option("--status <state>", "state to begin in (default: ready with user and host, else undefined)", stateValue)
    .option("--gpu <numbers>", "value of CUDA_VISIBLE_DEVICES, such as 0,1", text)
    .option("--user <user>", "user to run as on the host", text)
    .option("--host <host>", "host to run on", text)
    .option("--shell <shell>", "program that runs the script (default: bash)", text)
    .option("--log <file>", "file for its states (default: NAME.log)", text)
    .option("--pyenv <path>", "file to source before the command", text);
  withSweepWords(withOptionWords(command))
    .option("--after-corr <names>", "as --after, each job after its own of these, by position", listValue)
    .addHelpText(
      "after",
      "\nArguments behind all options, as GNU parallel has them:\n" +
        "  ::: VALUE...           a job for each value, {1} or {} in the command; a second ::: is {2}, and so on\n" +
        "  :::: FILE...           a job for each line of each file; - is standard input\n" +
        "  :::+ VALUE...          the values go with those before them by position; ::::+ the lines of a file",
    )
    .addHelpText(
      "after",
      examples(
        "cms queue add a --name=job[1-10] --command='sleep 10' --user=pi --host=red --gpu=0",
        "cms queue add a --name=train --command='python train.py' --pyenv=~/ENV3/bin/activate",
        "cms queue add a --name='train-{lr}' --param=lr=0.1,0.01 --command='python train.py --lr {lr}'",
        "cms queue add a --name='zip-{/.}' --command='gzip ~/{}' ::: data/a.csv data/b.csv",
        "cms queue add b --from=experiment/a-queue.yaml",
        "cms queue add a --name=report --command='python report.py' --after=job[1-10] --retries=2",
      ),
    )
    .action(async (word, { queue: name, experiment, name: jobs, afterCorr, ...words }) => {
      const queue = queueOf(context, word, queueWords(name, experiment));
      const { sweep, rest: others } = splitSweep(words);
      const { options, rest } = splitOptions(others);
      const own = withOwnValues((options.env ?? {}) as GivenVariables, {
        environment: context.deps.environment,
        where: "the queue file",
      });
      const env = options.env === undefined ? {} : { env: own.values };
      const { sources } = splitArguments(context.args);
      const given = { ...rest, ...options, ...env, ...(afterCorr !== undefined && { after_corr: afterCorr }) };
      if (sweep?.from !== undefined || sweep?.stdin === true) {
        const { addWhole } = await import("./add_whole.ts");
        await addWhole(context, { queue, words: sweep, name: jobs, sources, given });
        for (const text of own.warnings) context.lines.warning(text);
        return;
      }
      if (jobs === undefined) throw missing("--name <name>");
      const { command = "", ...fields } = given;
      if (command === "" && sweep?.eachLine === undefined && sources.length === 0) throw missing("--command <command>");
      const spec = { ...fields, command };
      const { addJobsOfSpecs } = await import("../../operations/add_jobs.ts");
      const made = sweep === null && sources.length === 0
        ? [{ name: jobs, spec }]
        : await (await import("./sweep.ts")).sweepOf(context, sweep ?? {}, sources, { name: jobs, spec });
      if (made === null) return;
      const { AGREED_LIMITS, ASKING_LIMITS } = await import("../../operations/copies.ts");
      const limits = words.yes === true ? AGREED_LIMITS : ASKING_LIMITS;
      const { added, warnings } = await addJobsOfSpecs(context.deps, { queue, jobs: made, limits });
      for (const job of added) context.lines.info(`Adding job ${job} to queue ${queue.name}`);
      for (const text of [...own.warnings, ...warnings]) context.lines.warning(text);
    });
}

function missing(option: string): CmsError {
  return new CmsError("usage", `Required option '${option}' not specified; see: cms help queue add`);
}

function queueWords(
  queue: string | undefined,
  experiment: string | undefined,
): { queue?: string; experiment?: string } {
  return { ...(queue !== undefined && { queue }), ...(experiment !== undefined && { experiment }) };
}
