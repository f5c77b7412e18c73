/**
 * `cms cluster activate` and `cms cluster deactivate`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { listValue } from "../options.ts";

const VERBS = [
  { verb: "activate", status: "active", doing: "Activating", description: "let hosts get jobs" },
  { verb: "deactivate", status: "inactive", doing: "Deactivating", description: "keep new jobs off hosts" },
] as const;

/** Adds the two commands to their group. */
export function addActivate(group: CommandUnknownOpts, context: Context): void {
  for (const { verb, status, doing, description } of VERBS) {
    clusterVerb(group, verb, description)
      .requiredOption("--id <id>", "id of the host, or a list such as host[1-4]", listValue)
      .addHelpText("after", examples(`cms cluster ${verb} a --id=host[1-2]`))
      .action(async (word, { id, ...words }) => {
        const cluster = clusterOf(context, word, words);
        const { setHostStatus } = await import("../../operations/set_host_status.ts");
        const { changed } = await setHostStatus(context.deps, { cluster, id, status });
        for (const host of changed) context.lines.info(`${doing} host ${host} in cluster ${cluster.name}`);
      });
  }
}
