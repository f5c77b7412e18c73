/**
 * `cms cluster add`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { unquote } from "../names.ts";
import { listValue, variableValue, withOwnValues } from "../options.ts";

/** Adds the command to its group. */
export function addAdd(group: CommandUnknownOpts, context: Context): void {
  const text = (value: string) => unquote(value);
  clusterVerb(group, "add", "add hosts to a cluster; each runs one job at once")
    .requiredOption("--id <id>", "id of the host, or a list such as host[1-4]", listValue)
    .requiredOption("--name <name>", "host name, as ssh knows it", text)
    .requiredOption("--user <user>", "user to run jobs as", text)
    .option("--ip <ip>", "address to connect to in place of the name's", text)
    .option("--status <status>", "only active hosts get jobs (default: active)", text)
    .option("--gpu <numbers>", "value of CUDA_VISIBLE_DEVICES for its jobs, such as 0,1", text)
    .option("--pyenv <path>", "file to source before a job's command", text)
    .option(
      "--env <name=value>",
      "a variable for its jobs; NAME alone takes its value here; repeatable",
      variableValue,
    )
    .addHelpText("after", examples("cms cluster add a --id=host[1-4] --name=red --user=pi --gpu=0"))
    .action(async (word, { id, name, user, ip, status, gpu, pyenv, env: given, ...words }) => {
      const cluster = clusterOf(context, word, words);
      const { environment } = context.deps;
      const { values, warnings } = withOwnValues(given ?? {}, { environment, where: "the cluster file" });
      const env = given === undefined ? undefined : values;
      const { addHosts } = await import("../../operations/add_hosts.ts");
      const { added } = await addHosts(context.deps, {
        cluster,
        id,
        spec: { name, user, ip, status, gpu, pyenv, env },
      });
      for (const host of added) context.lines.info(`Adding host ${host} to cluster ${cluster.name}`);
      for (const text of warnings) context.lines.warning(text);
    });
}
