/**
 * `cms queue delete`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Selection } from "../../operations/select_jobs.ts";
import type { StoreRef } from "../../store/store.ts";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { NAMED, nameList } from "../output/lines.ts";
import { selectionOf, withSelection } from "./selection.ts";

/** Beyond so many jobs with results a person is asked. */
const UNASKED = 20;
/** Adds the command to its group. */
export function addDelete(group: CommandUnknownOpts, context: Context): void {
  const about = "delete jobs: kill those that run, remove their directories on the hosts with all results";
  withSelection(queueVerb(group, "delete", about))
    .argument("[job]", "a job, or a list such as job[1-10]", unquote)
    .option("--force", "delete jobs that may still run on a host that does not answer, too; they run on")
    .option("--yes", "do not ask, however many jobs have run")
    .option("--dry-run", "delete nothing, show which jobs would be deleted")
    .addHelpText("after", examples("cms queue delete a --name=job[9-10]", "cms queue delete a --failed --dry-run"))
    .action(async (word, given, { force, yes, dryRun, ...options }) => {
      const { lines, deps } = context;
      const { queue, job } = queueAndJob(context, word, given, options);
      let selection = await selectionOf(options, job);
      if (dryRun || (yes !== true && context.io.errIsTerminal && context.io.ask !== undefined)) {
        const agreed = await agree(context, queue, selection, dryRun === true);
        if (agreed === null) return;
        selection = agreed;
      }
      const { deleteJobs } = await import("../../operations/delete_jobs.ts");
      const result = await deleteJobs(deps, { queue, selection, force }, { warn: lines.warning });
      if (result.deleted.length > 0) lines.info(`Deleting jobs: ${nameList(result.deleted)}`);
      for (const job of result.missing) lines.warning(`Could not delete job:${job}, it is not in queue ${queue.name}`);
      for (const job of result.failed) {
        lines.warning(`Could not delete job:${job}, it may still run; --force deletes its entry alone`);
      }
      const count = result.deleted.length + result.failed.length + result.missing.length;
      if (count === 0) lines.info("No job to delete.");
      if (result.missing.length + result.failed.length > 0) context.status = 1;
    });
}

/**
 * Says what would be deleted, and asks if that is much.
 * @returns The jobs that the person has seen; null if nothing is to be deleted.
 */
async function agree(
  context: Context,
  queue: StoreRef,
  selection: Selection,
  isDry: boolean,
): Promise<Selection | null> {
  const { deps, io, lines } = context;
  const { inAskedOrder, jobsNamed, requireChoice, selectJobs } = await import("../../operations/select_jobs.ts");
  const { allJobs } = await import("../../operations/list_jobs.ts");
  requireChoice(selection, queue.name, "delete", "--failed");
  const { chosen, missing } = selectJobs(await allJobs(deps, { queue }), selection);
  const names = inAskedOrder(chosen, selection);
  const ran = chosen.filter(({ attempt }) => attempt > 0).length;
  const what = `${names.length} ${names.length === 1 ? "job" : "jobs"}, of which ${ran} ran: ${nameList(names, NAMED)}`;
  if (isDry) {
    lines.info(`Would delete ${what}`);
    return null;
  }
  if (ran <= UNASKED) return selection;
  lines.info(`Deletes ${what}, with their directories and results on the hosts`);
  await io.flush();
  const answer = await io.ask!("Delete them? [y/N] ", { isSecret: false });
  if (answer !== null && /^y(?:es)?$/i.test(answer.trim())) return jobsNamed([...names, ...missing]);
  lines.info("Nothing was deleted.");
  context.status = 1;
  return null;
}
