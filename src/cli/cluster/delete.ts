/**
 * `cms cluster delete`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { listValue } from "../options.ts";
import { nameList } from "../output/lines.ts";

/** Adds the command to its group. */
export function addDelete(group: CommandUnknownOpts, context: Context): void {
  clusterVerb(group, "delete", "delete hosts from a cluster; the machines are not touched")
    .requiredOption("--id <id>", "id of the host, or a list such as host[3-4]", listValue)
    .addHelpText("after", examples("cms cluster delete a --id=host[3-4]"))
    .action(async (word, { id, ...words }) => {
      const { deleteHosts } = await import("../../operations/delete_hosts.ts");
      const { deleted } = await deleteHosts(context.deps, { cluster: clusterOf(context, word, words), id });
      context.lines.info(`Deleting hosts: ${nameList(deleted)}`);
    });
}
