/**
 * `cms cluster set`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { unquote } from "../names.ts";
import { listValue } from "../options.ts";

/** Adds the command to its group. */
export function addSet(group: CommandUnknownOpts, context: Context): void {
  const text = (value: string) => unquote(value);
  clusterVerb(group, "set", "set a field of hosts")
    .requiredOption("--id <id>", "id of the host, or a list such as host[1-4]", listValue)
    .requiredOption("--key <key>", "field, such as name, gpu or max_jobs_allowed; id renames the host", text)
    .requiredOption("--value <value>", "its new value", text)
    .addHelpText(
      "after",
      examples(
        "cms cluster set a --id=host1 --key=name --value=red02",
        "cms cluster set a --id=host[1-4] --key=max_jobs_allowed --value=2",
      ),
    )
    .action(async (word, { id, key, value, ...words }) => {
      const cluster = clusterOf(context, word, words);
      const { setHostField } = await import("../../operations/set_host_field.ts");
      const { changed } = await setHostField(context.deps, { cluster, id, key, value });
      for (const host of changed) {
        context.lines.info(`Setting host: ${host} key: ${key} value: ${value} in cluster ${cluster.name}`);
      }
    });
}
