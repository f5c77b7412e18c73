/**
 * `cms cluster set`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CmsError } from "../../errors.ts";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { unquote } from "../names.ts";
import { listValue, variableValue, withOwnValues } from "../options.ts";

/** Adds the command to its group. */
export function addSet(group: CommandUnknownOpts, context: Context): void {
  const text = (value: string) => unquote(value);
  clusterVerb(group, "set", "set a field of hosts")
    .requiredOption("--id <id>", "id of the host, or a list such as host[1-4]", listValue)
    .option("--key <key>", "field, such as name, gpu or max_jobs_allowed; id renames the host", text)
    .option("--value <value>", "its new value", text)
    .option(
      "--env <name=value>",
      "a variable for the jobs of the host; an empty value takes it out; repeatable",
      variableValue,
    )
    .addHelpText(
      "after",
      examples(
        "cms cluster set a --id=host1 --key=name --value=red02",
        "cms cluster set a --id=host[1-4] --key=max_jobs_allowed --value=2",
        "cms cluster set a --id=host1 --env SCRATCH=/scratch",
      ),
    )
    .action(async (word, { id, key, value, env, ...words }) => {
      const cluster = clusterOf(context, word, words);
      const field = fieldOf(key, value, env !== undefined);
      const { environment } = context.deps;
      const { values, warnings } = withOwnValues(env ?? {}, { environment, where: "the cluster file" });
      const variables = Object.fromEntries(Object.entries(values).map(([name, value]) => [`env.${name}`, value]));
      const { setHostFields } = await import("../../operations/set_host_field.ts");
      const fields = { ...field, ...variables };
      const { changed } = await setHostFields(context.deps, { cluster, id, fields });
      for (const host of changed) {
        for (const [key, value] of Object.entries(fields)) {
          context.lines.info(`Setting host: ${host} key: ${key} value: ${value} in cluster ${cluster.name}`);
        }
      }
      for (const text of warnings) context.lines.warning(text);
    });
}

function fieldOf(key: string | undefined, value: string | undefined, hasVariables: boolean): Record<string, string> {
  if (key !== undefined && value !== undefined) return { [key]: value };
  if (key === undefined && value === undefined && hasVariables) return {};
  const missing = key === undefined ? "--key <key>" : "--value <value>";
  throw new CmsError("usage", `Required option '${missing}' not specified; see: cms help cluster set`);
}
