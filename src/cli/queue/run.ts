/**
 * `cms queue run fifo` and `cms queue run fifo_multi`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { countValue, unquote } from "../names.ts";
import { listValue } from "../options.ts";
import { begin, withRunOptions } from "./run_options.ts";

/** Adds the commands to their group. */
export function addRun(group: CommandUnknownOpts, context: Context): void {
  const run = group.command("run").helpCommand(false)
    .description("run the jobs of a queue")
    .addHelpText(
      "after",
      examples("cms queue run fifo a --max_parallel=4", "cms queue run fifo_multi a --hosts=pi@red,pi@red[01-02]"),
    );
  addFifo(run, context);
  addFifoMulti(run, context);
}

function addFifo(run: CommandUnknownOpts, context: Context): void {
  const description =
    "run the ready jobs by priority and in file order, each on the host and as the user that it names";
  withRunOptions(
    queueVerb(run, "fifo", description)
      .requiredOption("--max-parallel, --max_parallel <n>", "most jobs that run at once", countValue),
  )
    .addHelpText(
      "after",
      examples("cms queue run fifo a --max_parallel=4", "cms queue run fifo --max_parallel=1 --background"),
    )
    .action(async (word, { max_parallel: maxParallel, ...words }) => {
      const queue = queueOf(context, word, words);
      await begin(context, queue, { scheduler: "fifo", maxParallel }, words);
    });
}

function addFifoMulti(run: CommandUnknownOpts, context: Context): void {
  const text = (value: string) => unquote(value);
  const description = "run the undefined and ready jobs by priority and in file order, each on the first free host";
  withRunOptions(
    queueVerb(run, "fifo_multi", description)
      .option(
        "--hosts <hosts>",
        "hosts such as pi@red,pi@red[01-04]; a host given twice runs two jobs at once",
        listValue,
      )
      .option("--hostfile <clusters>", "clusters whose active hosts are used, such as lab or lab,hpc", text)
      .option("--gpu-idle", "leave GPUs alone that somebody else uses: hosts are asked before a start"),
  )
    .addHelpText(
      "after",
      examples(
        "cms queue run fifo_multi a --hosts=pi@red,pi@red01,pi@red02",
        "cms queue run fifo_multi a --hostfile=a --background",
      ),
    )
    .action(async (word, { hosts, hostfile, gpuIdle: isGpuIdle, ...words }) => {
      const queue = queueOf(context, word, words);
      if (hosts === undefined && hostfile === undefined) {
        context.lines.warning("Please provide a --hosts or --hostfile argument");
        context.status = 2;
        return;
      }
      const { chooseHosts } = await import("./choose_hosts.ts");
      const { refusal } = words;
      const chosen = await chooseHosts(context, { hosts, hostfile, experiment: queue.experiment, refusal });
      if (chosen === null) return;
      await begin(context, queue, { scheduler: "fifo_multi", hostWords: hosts, isGpuIdle, ...chosen }, words);
    });
}
