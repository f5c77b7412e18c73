/**
 * `cms queue stop`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { NAMED, nameList } from "../output/lines.ts";
import { warnOfUnkilled } from "./unkilled.ts";

/** Adds the command to its group. */
export function addStop(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "stop", "end the run of a queue, wherever it was started on this machine; its jobs run on")
    .option("--kill", "kill its jobs, too")
    .addHelpText("after", examples("cms queue stop a", "cms queue stop a --kill"))
    .action(async (word, { kill, ...words }) => {
      const { deps, lines } = context;
      const queue = queueOf(context, word, words);
      const { stopRun } = await import("../../operations/stop_run.ts");
      const result = await stopRun(deps, { queue, kill: kill === true }, { warn: lines.warning });
      const { pid, killed, failed, running } = result;
      lines.info(
        pid === null ? `Queue ${queue.name} is not being run.` : `Ended the run of queue ${queue.name}: pid ${pid}`,
      );
      if (killed.length > 0) lines.info(`Killed jobs: ${nameList(killed, NAMED)}`);
      if (running.length > 0) lines.info(`They run on: ${nameList(running, NAMED)}`);
      warnOfUnkilled(context, failed);
    });
}
