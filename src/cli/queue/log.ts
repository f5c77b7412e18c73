/**
 * `cms queue log`, also `follow`: what jobs have written.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { countValue, unquote } from "../names.ts";
import type { LogWords } from "./log_words.ts";
import { selectionOf, withSelection } from "./selection.ts";

/** Adds the command to its group. */
export function addLog(group: CommandUnknownOpts, context: Context): void {
  withSelection(queueVerb(group, "log", "show what jobs have written, from their hosts, also while they run"))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .option("--error", "what they wrote to stderr")
    .option("--both", "stdout and stderr, each line marked")
    .option("--states", "their states, with times")
    .option(
      "--tail <lines>",
      "the last lines (default: 10 of each of several jobs, all of one up to 1 MiB)",
      countValue,
    )
    .option("--head <lines>", "the first lines", countValue)
    .option("--all", "all of it")
    .option("--try <number>", "of an earlier try, such as 1 for the first", countValue)
    .option(
      "--follow",
      "show what is written from now on, until the jobs are over; after --tail lines, or --all, of what is there",
    )
    .option("--raw", "on a terminal, too, the bytes as they are")
    .addHelpText(
      "after",
      examples(
        "cms queue log a job3",
        "cms queue log a --failed --error --tail=20",
        "cms queue log a --name=train[1-4] --follow",
        "cms queue log a train1 --try=1 --error",
      ),
    )
    .action(async (word, job, { queue: name, experiment, ...words }) => {
      await show(context, word, { name, experiment, job, words });
    });
}

/** Adds `follow`, which is `log --follow`. */
export function addFollow(group: CommandUnknownOpts, context: Context): void {
  withSelection(queueVerb(group, "follow", "show what jobs write from now on, until they are over"))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .option("--error", "what they write to stderr")
    .option("--both", "stdout and stderr, each line marked")
    .option("--tail <lines>", "first the last lines of what they wrote before", countValue)
    .option("--all", "first all that they wrote before")
    .option("--raw", "on a terminal, too, the bytes as they are")
    .addHelpText("after", examples("cms queue follow a job3 --tail=20", "cms queue follow a --status=start"))
    .action(async (word, job, { queue: name, experiment, ...words }) => {
      await show(context, word, { name, experiment, job, words: { ...words, follow: true } });
    });
}

async function show(
  context: Context,
  word: string | undefined,
  given: { name?: string | undefined; experiment?: string | undefined; job?: string | undefined; words: LogWords },
): Promise<void> {
  const { name, experiment, words } = given;
  const { queue, job } = queueAndJob(context, word, given.job, {
    ...(name !== undefined && { queue: name }),
    ...(experiment !== undefined && { experiment }),
  });
  const selection = await selectionOf(words, job);
  const { showOutput } = await import("./show_output.ts");
  await showOutput(context, { queue, selection, words });
}
