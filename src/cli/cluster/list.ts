/**
 * `cms cluster list`, also `info`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { countValue, formatValue, unquote } from "../names.ts";
import { renderRecords } from "../output/records.ts";

/** Columns of the user's document. */
const COLUMNS = ["id", "name", "user", "status", "gpu", "pyenv", "ip", "max_jobs_allowed"];
const STATE = ["cores", "threads", "job_counter", "probe_status", "probe_time", "ping_status", "ping_time"];
const WIDE = [...COLUMNS, ...STATE];

/** Adds the command to its group. */
export function addList(group: CommandUnknownOpts, context: Context): void {
  clusterVerb(group, "list", "list the hosts of a cluster")
    .alias("info")
    .option("--wide", "show all fields")
    .option("--output <format>", "table, json, yaml or csv (default: table)", formatValue)
    .option("--status <status>", "only hosts of this status", (value: string) => unquote(value))
    .option("--limit <n>", "only the first n hosts", countValue)
    .addHelpText("after", examples("cms cluster list a", "cms cluster list a --status=active --output=json"))
    .action(async (word, { wide, output, status, limit, ...words }) => {
      const { listHosts } = await import("../../operations/list_hosts.ts");
      const hosts = await listHosts(context.deps, { cluster: clusterOf(context, word, words), status, limit });
      context.io.out(await renderRecords(output ?? "table", wide ? WIDE : COLUMNS, hosts));
    });
}
