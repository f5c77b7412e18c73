/**
 * `cms openapi`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples } from "./context.ts";

/** Adds the command to its group. */
export function addOpenapi(group: CommandUnknownOpts, context: Context): void {
  group.command("openapi").description("print the OpenAPI document of the REST service")
    .addHelpText("after", examples("cms openapi > openapi.json"))
    .action(async () => {
      const { documentOf } = await import("../service/openapi.ts");
      context.io.out(`${JSON.stringify(documentOf(context.deps), null, 2)}\n`);
    });
}
