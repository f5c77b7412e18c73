/**
 * `cms queue watch`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";

/** Adds the command to its group. */
export function addWatch(group: CommandUnknownOpts, context: Context): void {
  const description = "watch a queue live: hosts, what runs, ends and failures; in a pipe a line for each change";
  queueVerb(group, "watch", description)
    .addHelpText(
      "after",
      "\nKeys: arrows choose a job, enter shows its output, f failed jobs only, p pauses or resumes the queue,\n" +
        "      k kills the chosen job (asks), q quits.\n" +
        examples("cms queue watch a", "cms queue watch a | grep failed"),
    )
    .action(async (word, words) => {
      const queue = queueOf(context, word, words);
      const { watchQueue } = await import("../watch/watch.ts");
      await watchQueue(context, queue);
    });
}
