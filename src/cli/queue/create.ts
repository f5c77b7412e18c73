/**
 * `cms queue create`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";

/** Adds the command to its group. */
export function addCreate(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "create", "make an empty queue; one that exists is left as it is")
    .addHelpText("after", examples("cms queue create a", "cms queue create --queue=a --experiment=runs"))
    .action(async (word, words) => {
      const { createQueue } = await import("../../operations/create_queue.ts");
      await createQueue(context.deps, { queue: queueOf(context, word, words) });
    });
}
