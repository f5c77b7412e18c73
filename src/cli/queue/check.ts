/**
 * `cms queue check`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { QueueCheck } from "../../operations/check_queue.ts";
import type { Finding } from "../../operations/finding.ts";
import { FINDING_COLUMNS } from "../../output/columns.ts";
import { renderFor } from "../../output/records.ts";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { formatValue } from "../names.ts";
import { giveWay } from "./give_way.ts";

/** Adds the command to its group. */
export function addCheck(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "check", "report where a queue, its files and its hosts disagree, and what to do; changes nothing")
    .option("--output <format>", "table, json, yaml or csv (default: a line for each finding)", formatValue)
    .addHelpText("after", examples("cms queue check a", "cms queue check a --output=json"))
    .action(async (word, { output, ...words }) => {
      const queue = queueOf(context, word, words);
      await giveWay(context.deps, queue);
      const { checkQueue } = await import("../../operations/check_queue.ts");
      const check = await checkQueue(context.deps, { queue });
      if (output === undefined) printCheck(context, queue.name, check);
      else {
        const records = check.findings.map((finding) => ({ ...finding, extra: {} }));
        context.io.out(await renderFor(context.io, output, FINDING_COLUMNS, records));
      }
      if (check.findings.some(({ kind }) => kind === "trouble")) context.status = 1;
    });
}

function printCheck({ lines }: Context, name: string, check: QueueCheck): void {
  const { findings, jobs, inFlight, asked } = check;
  for (const finding of findings) {
    if (finding.kind === "trouble") lines.warning(lineOf(finding));
    else lines.info(lineOf(finding));
  }
  const hosts = asked.length === 0 ? "no hosts" : asked.length <= 5 ? asked.join(", ") : `${asked.length} hosts`;
  lines.info(`Checked queue ${name}: ${jobs} ${jobs === 1 ? "job" : "jobs"}, ${inFlight} in flight, asked ${hosts}.`);
  const troubles = findings.filter(({ kind }) => kind === "trouble").length;
  lines.info(troubles === 0 ? "All agree." : `${troubles} to look at.`);
}

function lineOf({ job, where, finding, action }: Finding): string {
  const what = job === null ? `${where}: ${finding}` : `Job ${job} on ${where} ${finding}`;
  return action === "" ? what : `${what}${what.endsWith("?") ? "" : "."} To do: ${action}`;
}
