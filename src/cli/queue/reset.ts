/**
 * `cms queue reset`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { NAMED, nameList } from "../output/lines.ts";
import { selectionOf, warnOfMissing, withSelection } from "./selection.ts";
import { printChanges } from "./state_changes.ts";

/** Adds the command to its group. */
export function addReset(group: CommandUnknownOpts, context: Context): void {
  const about = "make jobs ready to run again: kill them, remove their directories, set their state " +
    "(default: all that are not in end)";
  withSelection(queueVerb(group, "reset", about))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .option("--cascade", "also all jobs that come after these")
    .option("--dry-run", "reset none, show which jobs would be")
    .addHelpText(
      "after",
      examples(
        "cms queue reset a",
        "cms queue reset a --failed",
        "cms queue reset a --status=end --name=job[1-8]",
        "cms queue reset a --name=prep --cascade",
      ),
    )
    .action(async (word, given, { cascade, dryRun, ...options }) => {
      const { lines, deps } = context;
      const { queue, job } = queueAndJob(context, word, given, options);
      const selection = await selectionOf(options, job);
      const { jobsToReset, resetJobs } = await import("../../operations/reset_jobs.ts");
      if (dryRun) {
        const { jobs, missing } = await jobsToReset(deps, { queue, selection, cascade });
        if (jobs.length > 0) lines.info(`Would reset jobs: ${nameList(jobs.map(({ name }) => name), NAMED)}`);
        else lines.info("No job to reset.");
        return warnOfMissing(context, queue, missing);
      }
      const result = await resetJobs(deps, { queue, selection, cascade }, { warn: lines.warning });
      printChanges(lines, result.changes);
      for (const job of result.failed) lines.warning(`Could not reset job:${job}`);
      if (result.failed.length + result.missing.length > 0) context.status = 1;
    });
}
