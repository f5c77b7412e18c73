/**
 * `cms queue refresh`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { printChanges } from "./state_changes.ts";

/** Adds the command to its group. */
export function addRefresh(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "refresh", "ask the hosts for the states of the jobs that run")
    .addHelpText("after", examples("cms queue refresh a"))
    .action(async (word, words) => {
      const { lines, deps } = context;
      const queue = queueOf(context, word, words);
      const { refreshQueue } = await import("../../operations/refresh_queue.ts");
      const result = await refreshQueue(deps, { queue }, { warn: lines.warning });
      lines.info(`Refreshing Queue: ${queue.name}`);
      printChanges(lines, result.changes);
      if (result.unreachable.length > 0) context.status = 1;
    });
}
