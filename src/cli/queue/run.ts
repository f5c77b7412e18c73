/**
 * `cms queue run fifo` and `cms queue run fifo_multi`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { countValue, minutesValue, unquote } from "../names.ts";
import { listValue } from "../options.ts";

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const TIMEOUT_HELP = "how long a host may be silent before its jobs count as crashed (default: 10)";

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
  queueVerb(run, "fifo", "run the ready jobs in file order, each on the host and as the user it is assigned to")
    .requiredOption("--max-parallel, --max_parallel <n>", "most jobs that run at once", countValue)
    .option("--timeout <minutes>", TIMEOUT_HELP, minutesValue)
    .addHelpText("after", examples("cms queue run fifo a --max_parallel=4", "cms queue run fifo --max_parallel=1"))
    .action(async (word, { max_parallel: maxParallel, timeout, ...words }) => {
      const queue = queueOf(context, word, words);
      const { runAndWatch } = await import("./watch_run.ts");
      const timeoutMs = timeout ?? DEFAULT_TIMEOUT_MS;
      await runAndWatch(context, { queue, scheduler: "fifo", maxParallel, timeoutMs });
    });
}

function addFifoMulti(run: CommandUnknownOpts, context: Context): void {
  const text = (value: string) => unquote(value);
  queueVerb(run, "fifo_multi", "run the undefined and ready jobs in file order, each on the first host that is free")
    .option(
      "--hosts <hosts>",
      "hosts such as pi@red,pi@red[01-04]; a host given twice runs two jobs at once",
      listValue,
    )
    .option("--hostfile <cluster>", "cluster whose active hosts are used", text)
    .option("--timeout <minutes>", TIMEOUT_HELP, minutesValue)
    .addHelpText(
      "after",
      examples(
        "cms queue run fifo_multi a --hosts=pi@red,pi@red01,pi@red02",
        "cms queue run fifo_multi a --hostfile=a",
      ),
    )
    .action(async (word, { hosts, hostfile, timeout, ...words }) => {
      const queue = queueOf(context, word, words);
      if (hosts === undefined && hostfile === undefined) {
        context.lines.warning("Please provide a --hosts or --hostfile argument");
        context.status = 2;
        return;
      }
      const { chooseHosts } = await import("./choose_hosts.ts");
      const chosen = await chooseHosts(context, { hosts, hostfile, experiment: queue.experiment });
      if (chosen === null) return;
      const { runAndWatch } = await import("./watch_run.ts");
      const timeoutMs = timeout ?? DEFAULT_TIMEOUT_MS;
      await runAndWatch(context, { queue, scheduler: "fifo_multi", ...chosen, timeoutMs });
    });
}
