/**
 * `cms queue history`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { renderFor } from "../../output/records.ts";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { countValue, formatValue } from "../names.ts";

const COLUMNS = ["began", "ended", "by", "scheduler", "cluster", "machines", "ran", "failed", "waiting", "outcome"];
const SHOWN = 20;

/** Adds the command to its group. */
export function addHistory(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "history", "list the runs that a queue had, the last one first")
    .option("--limit <n>", `only the last n runs (default: ${SHOWN})`, countValue)
    .option("--output <format>", "table, json, yaml or csv (default: table)", formatValue)
    .addHelpText("after", examples("cms queue history a", "cms queue history a --limit=1 --output=json"))
    .action(async (word, { output = "table", limit = SHOWN, ...words }) => {
      const queue = queueOf(context, word, words);
      const { queueHistory } = await import("../../operations/queue_history.ts");
      const rows = await queueHistory(context.deps, { queue, limit });
      if (output === "table" && rows.length === 0) return context.lines.info(`Queue ${queue.name} was not run yet.`);
      const records = rows.map((row) => ({
        ...row,
        ...(output === "table" ? { machines: row.machines.join(" ") } : {}),
        extra: {},
      }));
      context.io.out(await renderFor(context.io, output, COLUMNS, records));
    });
}
