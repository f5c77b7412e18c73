/**
 * `cms queue hold` and `cms queue release`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { unquote } from "../names.ts";
import { NAMED, nameList } from "../output/lines.ts";
import { selectionOf, warnOfMissing, withSelection } from "./selection.ts";

const VERBS = [
  {
    verb: "hold",
    hold: true,
    doing: "Holding",
    would: "Would hold",
    description: "keep jobs from being started, until they are released (default: all that are not over)",
  },
  {
    verb: "release",
    hold: false,
    doing: "Releasing",
    would: "Would release",
    description: "let held jobs start (default: all)",
  },
] as const;

/** Adds the two commands to their group. */
export function addHold(group: CommandUnknownOpts, context: Context): void {
  for (const { verb, hold, doing, would, description } of VERBS) {
    withSelection(queueVerb(group, verb, description))
      .argument("[job]", "a job, or a list such as job[1-10]", unquote)
      .option("--dry-run", `${verb} none, show which jobs would be`)
      .addHelpText(
        "after",
        examples(`cms queue ${verb} a --name=job[3-5]`, `cms queue ${verb} a --where='param.lr<0.1'`),
      )
      .action(async (word, given, { dryRun: isDry, ...options }) => {
        const { deps, lines } = context;
        const { queue, job } = queueAndJob(context, word, given, options);
        const selection = await selectionOf(options, job);
        const { holdJobs } = await import("../../operations/hold_jobs.ts");
        const { changed, running, over, missing } = await holdJobs(deps, { queue, selection, hold, isDry }, {
          warn: lines.warning,
        });
        if (changed.length > 0) lines.info(`${isDry ? would : doing} jobs: ${nameList(changed, NAMED)}`);
        else lines.info(hold ? "No job to hold." : "No job to release.");
        if (running.length > 0) {
          lines.info(`They run and go on, only a further try is held: ${nameList(running, NAMED)}`);
        }
        if (over.length > 0 && selection.names !== null) lines.info(`They are over: ${nameList(over, NAMED)}`);
        warnOfMissing(context, queue, missing);
      });
  }
}
