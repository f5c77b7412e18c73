/**
 * `cms queue reset`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { expand } from "../../names/expand.ts";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { stateValue } from "../names.ts";
import { listValue } from "../options.ts";
import { printChanges } from "./state_changes.ts";

/** Adds the command to its group. */
export function addReset(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "reset", "make jobs ready to run again: kill them, remove their directories, set their state")
    .option("--name <name>", "only these jobs; a list such as job[1-10]", listValue)
    .option("--status <state>", "only jobs in this state (default: all that are not in end)", stateValue)
    .option("--cascade", "also all jobs that come after these")
    .addHelpText(
      "after",
      examples(
        "cms queue reset a",
        "cms queue reset a --status=end --name=job[1-8]",
        "cms queue reset a --name=prep --cascade",
      ),
    )
    .action(async (word, { name, status, cascade, ...words }) => {
      const { lines, deps } = context;
      const queue = queueOf(context, word, words);
      const { resetJobs } = await import("../../operations/reset_jobs.ts");
      const names = name === undefined ? null : expand(name);
      const request = { queue, names, status: status ?? null, cascade };
      const result = await resetJobs(deps, request, { warn: lines.warning });
      printChanges(lines, result.changes);
      for (const job of result.failed) lines.warning(`Could not reset job:${job}`);
      if (result.failed.length + result.missing.length > 0) context.status = 1;
    });
}
