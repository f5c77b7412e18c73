/**
 * `cms queue pause` and `cms queue resume`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";

/** Adds the two commands to their group. */
export function addPause(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "pause", "let no run start a job of the queue, until it is resumed; what runs goes on")
    .option("--reason <text>", "why, for those who look", (value: string) => unquote(value))
    .addHelpText("after", examples("cms queue pause a --reason='disk full on red'"))
    .action(async (word, { reason, ...words }) => {
      const { deps, lines } = context;
      const queue = queueOf(context, word, words);
      const { pauseQueue } = await import("../../operations/pause_queue.ts");
      const { pause } = await pauseQueue(deps, { queue, reason: reason ?? null });
      lines.info(`Queue ${queue.name} is paused${pause.reason === null ? "" : `: ${pause.reason}`}`);
    });
}

/** Adds `resume` to its group. */
export function addResume(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "resume", "let runs start jobs of a paused queue again")
    .addHelpText("after", examples("cms queue resume a"))
    .action(async (word, words) => {
      const { deps, lines } = context;
      const queue = queueOf(context, word, words);
      const { resumeQueue } = await import("../../operations/pause_queue.ts");
      const { wasPaused } = await resumeQueue(deps, { queue });
      lines.info(`Queue ${queue.name} ${wasPaused ? "is resumed" : "was not paused"}`);
    });
}
