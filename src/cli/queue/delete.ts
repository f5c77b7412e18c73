/**
 * `cms queue delete`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { expand } from "../../names/expand.ts";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { listValue } from "../options.ts";
import { nameList } from "../output/lines.ts";

/** Adds the command to its group. */
export function addDelete(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "delete", "delete jobs: kill those that run, remove their directories on the hosts with all results")
    .requiredOption("--name <name>", "name of the job, or a list such as job[1-10]", listValue)
    .option("--force", "delete jobs that may still run on a host that does not answer, too; they run on")
    .addHelpText("after", examples("cms queue delete a --name=job[9-10]"))
    .action(async (word, { name, force, ...words }) => {
      const { lines, deps } = context;
      const queue = queueOf(context, word, words);
      const { deleteJobs } = await import("../../operations/delete_jobs.ts");
      const result = await deleteJobs(deps, { queue, names: expand(name), force }, { warn: lines.warning });
      if (result.deleted.length > 0) lines.info(`Deleting jobs: ${nameList(result.deleted)}`);
      for (const job of result.missing) lines.warning(`Could not delete job:${job}, it is not in queue ${queue.name}`);
      for (const job of result.failed) {
        lines.warning(`Could not delete job:${job}, it may still run; --force deletes its entry alone`);
      }
      if (result.missing.length + result.failed.length > 0) context.status = 1;
    });
}
