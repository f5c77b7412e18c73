/**
 * `cms queue list`, also `info`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { countValue, formatValue, stateValue } from "../names.ts";
import { JOB_COLUMNS, JOB_COLUMNS_WIDE } from "../../output/columns.ts";
import { renderRecords } from "../../output/records.ts";

/** Adds the command to its group. */
export function addList(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "list", "list the jobs of a queue")
    .alias("info")
    .option("--wide", "show host, user, exit code and times too")
    .option("--output <format>", "table, json, yaml or csv (default: table)", formatValue)
    .option("--status <state>", "only jobs in this state", stateValue)
    .option("--limit <n>", "only the first n jobs", countValue)
    .addHelpText("after", examples("cms queue list a", "cms queue list a --status=crash --output=json"))
    .action(async (word, { wide, output, status, limit, ...words }) => {
      const { listJobs } = await import("../../operations/list_jobs.ts");
      const jobs = await listJobs(context.deps, { queue: queueOf(context, word, words), status, limit });
      context.io.out(await renderRecords(output ?? "table", wide ? JOB_COLUMNS_WIDE : JOB_COLUMNS, jobs));
    });
}
