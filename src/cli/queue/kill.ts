/**
 * `cms queue kill`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { NAMED, nameList } from "../output/lines.ts";
import { selectionOf, warnOfMissing, withSelection } from "./selection.ts";
import { warnOfUnkilled } from "./unkilled.ts";

/** Adds the command to its group. */
export function addKill(group: CommandUnknownOpts, context: Context): void {
  withSelection(queueVerb(group, "kill", "kill jobs where they run; they stay in the queue, in state kill"))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .option("--dry-run", "kill none, show which jobs would be")
    .addHelpText("after", examples("cms queue kill a job3", "cms queue kill a --status=run,start"))
    .action(async (word, given, { dryRun: isDry, ...options }) => {
      const { deps, lines } = context;
      const { queue, job } = queueAndJob(context, word, given, options);
      const selection = await selectionOf(options, job);
      const { killSelected } = await import("../../operations/kill_jobs.ts");
      const request = { queue, selection, isDry };
      const { killed, idle, missing, failed } = await killSelected(deps, request, { warn: lines.warning });
      if (killed.length > 0) lines.info(`${isDry ? "Would kill" : "Killed"} jobs: ${nameList(killed, NAMED)}`);
      if (idle.length > 0) lines.info(`They do not run: ${nameList(idle, NAMED)}`);
      if (killed.length + idle.length + missing.length + failed.length === 0) lines.info("No job to kill.");
      warnOfMissing(context, queue, missing);
      warnOfUnkilled(context, failed);
    });
}
