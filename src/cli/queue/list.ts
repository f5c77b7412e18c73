/**
 * `cms queue list`, also `info`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { countValue, formatValue, stateValue } from "../names.ts";
import { listValue } from "../options.ts";
import type { Job } from "../../job/job.ts";
import { expand } from "../../names/expand.ts";
import { JOB_COLUMNS, JOB_COLUMNS_WIDE } from "../../output/columns.ts";
import { queueCommand } from "../../operations/finding.ts";
import { renderFor } from "../../output/records.ts";
import type { StoreRef } from "../../store/store.ts";

/** Adds the command to its group. */
export function addList(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "list", "list the jobs of a queue")
    .alias("info")
    .option("--wide", "show host, user, exit code and times too")
    .option("--output <format>", "table, json, yaml or csv (default: table)", formatValue)
    .option("--name <name>", "only these jobs; a list such as job[1-10]", listValue)
    .option("--status <state>", "only jobs in this state", stateValue)
    .option("--limit <n>", "only the first n jobs", countValue)
    .addHelpText("after", examples("cms queue list a", "cms queue list a --status=crash --output=json"))
    .action(async (word, { wide, output = "table", name, status, limit, ...words }) => {
      const { listJobsFollowed } = await import("../../operations/list_jobs.ts");
      const queue = queueOf(context, word, words);
      const names = name === undefined ? undefined : expand(name);
      const { jobs, unfollowed } = await listJobsFollowed(context.deps, { queue, names, status, limit });
      if (output !== "table" || jobs.length > 0) {
        context.io.out(await renderFor(context.io, output, wide ? JOB_COLUMNS_WIDE : JOB_COLUMNS, jobs));
      } else if (names !== undefined || status !== undefined) context.lines.info(`No job of queue ${queue.name} fits.`);
      else context.lines.info(`Queue ${queue.name} is empty; to add a job: ${addOne(queue)}`);
      if (status === undefined && limit === undefined) warnOfMissing(context, queue.name, names ?? [], jobs);
      if (unfollowed === 0) return;
      const which = unfollowed === 1 ? "1 job is shown as running" : `${unfollowed} jobs are shown as running`;
      const command = queueCommand(queue, "refresh");
      context.lines.warning(`${which}, and no run follows: ${command} asks the hosts, cms queue run goes on`);
    });
}

function addOne(queue: StoreRef): string {
  return queueCommand(queue, "add", "--name=job1", "--command=hostname");
}

function warnOfMissing(context: Context, queue: string, names: readonly string[], jobs: readonly Job[]): void {
  const found = new Set<string>(jobs.map((job) => job.name));
  for (const name of names.filter((name) => !found.has(name))) {
    context.lines.warning(`Job ${name} does not exist in queue ${queue}`);
    context.status = 1;
  }
}
