/**
 * `cms cluster create`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";

/** Adds the command to its group. */
export function addCreate(group: CommandUnknownOpts, context: Context): void {
  clusterVerb(group, "create", "make an empty cluster; one that exists is left as it is")
    .addHelpText("after", examples("cms cluster create a", "cms cluster create --cluster=a --experiment=runs"))
    .action(async (word, words) => {
      const { createCluster } = await import("../../operations/create_cluster.ts");
      await createCluster(context.deps, { cluster: clusterOf(context, word, words) });
    });
}
