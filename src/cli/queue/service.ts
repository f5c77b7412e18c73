/**
 * `cms queue --service start|info`: the grammar of the REST service, which this version does not have.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CmsError } from "../../errors.ts";
import { examples } from "../context.ts";
import { portValue } from "../names.ts";

/** Adds the command to its group. */
export function addService(group: CommandUnknownOpts): void {
  const service = group.command("service").helpCommand(false)
    .description("start the REST service, or open its documentation")
    .usage("start|info [--port=PORT]")
    .addHelpText("after", examples("cms queue --service start --port=8000", "cms queue --service info"));
  for (const [verb, description] of [["start", "start the service"], ["info", "open its documentation"]] as const) {
    service.command(verb).description(description)
      .option("--port <port>", "port of the service (default: 8000)", portValue)
      .addHelpText("after", examples(`cms queue --service ${verb} --port=8000`))
      .action(() => {
        throw new CmsError("usage", `Cannot ${description}: this version of cms has none`);
      });
  }
}

/** The document writes the command as an option: `queue --service start` becomes `queue service start`. */
export function serviceArgs(args: readonly string[]): string[] {
  if (args[0] !== "queue") return [...args];
  let at = 1;
  while (args[at]?.startsWith("--port")) at += args[at] === "--port" ? 2 : 1;
  const word = args[at] ?? "";
  const before = args.slice(1, at);
  const after = args.slice(at + 1);
  if (word.startsWith("--service=")) return ["queue", "service", word.slice("--service=".length), ...before, ...after];
  if (word !== "--service") return [...args];
  return ["queue", "service", ...after.slice(0, 1), ...before, ...after.slice(1)];
}
