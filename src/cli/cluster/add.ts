/**
 * `cms cluster add`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { countValue, unquote } from "../names.ts";
import { listValue, variableValue, withOwnValues } from "../options.ts";
import { addSlurmOptions, slurmFieldsOf } from "./slurm_options.ts";

/** Adds the command to its group. */
export function addAdd(group: CommandUnknownOpts, context: Context): void {
  const text = (value: string) => unquote(value);
  const command = clusterVerb(group, "add", "add hosts to a cluster; each runs one job at once")
    .requiredOption("--id <id>", "id of the host, or a list such as host[1-4]", listValue)
    .requiredOption("--name <name>", "host name, as ssh knows it", text)
    .requiredOption("--user <user>", "user to run jobs as", text)
    .option("--ip <ip>", "address to connect to in place of the name's", text)
    .option("--status <status>", "only active hosts get jobs (default: active)", text)
    .option("--gpu <numbers>", "value of CUDA_VISIBLE_DEVICES for its jobs, such as 0,1", text)
    .option("--pyenv <path>", "file to source before a job's command", text)
    .option("--gpus <devices>", "GPUs that it gives its jobs one by one, such as 0-3; auto asks the host", text)
    .option("--gpu-idle", "its GPUs that somebody else uses are not given")
    .option("--cpus <number>", "CPUs that it gives", countValue)
    .option("--memory <size>", "memory that it gives, such as 64G", text)
    .option("--max-jobs-allowed <number>", "jobs at once (default: its GPUs, or 1)", countValue)
    .option(
      "--env <name=value>",
      "a variable for its jobs; NAME alone takes its value here; repeatable",
      variableValue,
    );
  addSlurmOptions(command);
  command
    .addHelpText(
      "after",
      examples(
        "cms cluster add a --id=host[1-4] --name=red --user=pi --gpu=0",
        "cms cluster add a --id=big --name=red02 --user=pi --gpus=0-3 --cpus=32 --memory=256G",
        "cms cluster add hpc --id=gpu --kind=slurm --name=login --user=me --partition=gpu --gpus=4 --time=4h --allocations=10",
      ),
    )
    .action(
      async (
        word,
        {
          id,
          name,
          user,
          ip,
          status,
          gpu,
          pyenv,
          gpus,
          gpuIdle,
          cpus,
          memory,
          maxJobsAllowed: slots,
          env: given,
          ...words
        },
      ) => {
        const cluster = clusterOf(context, word, words);
        const { environment } = context.deps;
        const { values, warnings } = withOwnValues(given ?? {}, { environment, where: "the cluster file" });
        const env = given === undefined ? undefined : values;
        const own = {
          name,
          user,
          ip,
          status,
          gpu,
          pyenv,
          env,
          gpus,
          gpu_idle: gpuIdle,
          cpus,
          memory,
          max_jobs_allowed: slots,
        };
        const spec = { ...own, slurm: slurmFieldsOf(words) };
        const { addHosts } = await import("../../operations/add_hosts.ts");
        const { added } = await addHosts(context.deps, { cluster, id, spec });
        for (const host of added) context.lines.info(`Adding host ${host} to cluster ${cluster.name}`);
        for (const text of warnings) context.lines.warning(text);
      },
    );
}
