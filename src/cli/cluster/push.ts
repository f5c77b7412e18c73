/**
 * `cms cluster push`: files of the manager to all machines of a cluster.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { machineText } from "../../cluster/machine.ts";
import { CmsError } from "../../errors.ts";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { unquote } from "../names.ts";
import { listValue } from "../options.ts";
import { filesText } from "../output/files_text.ts";

/** Adds the command to its group. */
export function addPush(group: CommandUnknownOpts, context: Context): void {
  clusterVerb(group, "push", "send files to every machine of a cluster, once to each; only what changed")
    .argument("[paths...]", "files and directories here; of DIR/./sub/file the path sub/file is kept")
    .option("--to <dir>", "directory over there, absolute or below the home directory (default: .)", unquote)
    .option("--id <id>", "only these hosts; a list such as host[1-4] (default: all active ones)", listValue)
    .option("--verbose", "say by which way: rsync, or tar where one end has no rsync")
    .addHelpText("after", examples("cms cluster push a data --to=project", "cms cluster push a ./src/./lib/x.py"))
    .action(async (word, given, { to = ".", id, verbose, ...words }) => {
      const { deps, lines } = context;
      // Where `--cluster` names the cluster, all words are paths.
      const isPath = words.cluster !== undefined && word !== undefined;
      const paths = (isPath ? [word, ...given] : given).map((path) => unquote(path));
      const cluster = clusterOf(context, isPath ? undefined : word, words);
      if (paths.length === 0) throw new CmsError("usage", "Cannot push nothing: name files or directories");
      const { pushToCluster } = await import("../../operations/push_files.ts");
      await pushToCluster(deps, { cluster, paths, to, ids: id ?? null }, (machine, report) => {
        if (typeof report === "string") {
          lines.warning(report);
          context.status = 1;
        } else {lines.info(
            `Pushed ${filesText(report)} to ${machineText(machine)}${verbose ? ` by ${report.way}` : ""}`,
          );}
      });
    });
}
