/**
 * `cms cluster list`, also `info`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Host, RESOURCE_FIELDS } from "../../cluster/host.ts";
import { SLURM_FIELDS } from "../../cluster/slurm_entry.ts";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { countValue, formatValue, unquote } from "../names.ts";
import { HOST_COLUMNS, HOST_COLUMNS_WIDE } from "../../output/columns.ts";
import { renderFor } from "../../output/records.ts";

/** Adds the command to its group. */
export function addList(group: CommandUnknownOpts, context: Context): void {
  clusterVerb(group, "list", "list the hosts of a cluster")
    .alias("info")
    .option("--wide", "show all fields")
    .option("--output <format>", "table, json, yaml or csv (default: table)", formatValue)
    .option("--status <status>", "only hosts of this status", (value: string) => unquote(value))
    .option("--limit <n>", "only the first n hosts", countValue)
    .option("--quiet", "ids alone, a line each")
    .addHelpText("after", examples("cms cluster list a", "cms cluster list a --status=active --output=json"))
    .action(async (word, { wide, output = "table", status, limit, quiet, ...words }) => {
      const { listHosts } = await import("../../operations/list_hosts.ts");
      const cluster = clusterOf(context, word, words);
      const hosts = await listHosts(context.deps, { cluster, status, limit });
      if (quiet) context.io.out(hosts.map(({ id }) => `${id}\n`).join(""));
      else if (output !== "table" || hosts.length > 0) {
        // In a table the fields of Slurm stand like others; elsewhere they follow all others as it is.
        const records = output === "table" ? hosts.map((host) => ({ ...host.extra, ...host })) : hosts;
        context.io.out(await renderFor(context.io, output, wide ? wideColumns(hosts) : HOST_COLUMNS, records));
      } else if (status !== undefined) {
        context.lines.info(`No host of cluster ${cluster.name} has the status ${status}.`);
      } else {
        const add = `cms cluster add ${cluster.name} --id=host1 --name=HOST --user=USER`;
        context.lines.info(`Cluster ${cluster.name} is empty; to add a host: ${add}`);
      }
    });
}

/** What hosts give besides slots is shown where one of them says it. */
function wideColumns(hosts: readonly Host[]): readonly string[] {
  const isSaid = (field: typeof RESOURCE_FIELDS[number]) => hosts.some((host) => (host[field] ?? null) !== null);
  const ofSlurm = SLURM_FIELDS.filter((field) => hosts.some(({ extra }) => (extra[field] ?? null) !== null));
  return [...HOST_COLUMNS_WIDE, ...RESOURCE_FIELDS.filter(isSaid), ...ofSlurm];
}
