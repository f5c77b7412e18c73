/**
 * `cms cluster drain`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { DrainResult, HostJob } from "../../operations/drain_hosts.ts";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { listValue } from "../options.ts";
import { NAMED, nameList } from "../output/lines.ts";
import { durationValue } from "../queue/wait.ts";

const STATUS: Readonly<Record<DrainResult["outcome"], number>> = {
  drained: 0,
  failed: 1,
  timeout: 124,
  interrupted: 130,
};

/** Adds the command to its group. */
export function addDrain(group: CommandUnknownOpts, context: Context): void {
  clusterVerb(group, "drain", "keep new jobs off hosts, and wait until those that run there are over")
    .requiredOption("--id <id>", "id of the host, or a list such as host[1-4]", listValue)
    .option("--kill-after <duration>", "kill the jobs that still run after so long, such as 1h", durationValue)
    .option("--timeout <duration>", "give up after so long, such as 2h; exit status 124", durationValue)
    .addHelpText(
      "after",
      examples("cms cluster drain a --id=host1", "cms cluster drain a --id=host[1-2] --kill-after=1h"),
    )
    .action(async (word, { id, killAfter, timeout, ...words }) => {
      const { deps, io, lines } = context;
      const cluster = clusterOf(context, word, words);
      const { drainHosts } = await import("../../operations/drain_hosts.ts");
      const interrupts = io.interrupts();
      try {
        const request = { cluster, id, killAfterMs: killAfter ?? null, timeoutMs: timeout ?? null };
        const { outcome, hosts, running, killed } = await drainHosts(deps, request, {
          stop: interrupts.stop,
          warn: lines.warning,
          onRunning: (jobs) => lines.info(jobs.length === 0 ? "No job runs there." : `Waiting for ${listOf(jobs)}`),
        });
        if (killed.length > 0) lines.info(`Killed ${listOf(killed)}`);
        if (outcome === "drained") { for (const host of hosts) lines.info(`Drained host ${host} of ${cluster.name}`); }
        else if (outcome === "failed") lines.warning(`Could not kill ${listOf(running)}: they may still run`);
        else lines.warning(`Not drained; the hosts are inactive. Still running: ${listOf(running)}`);
        context.status = STATUS[outcome];
      } finally {
        interrupts.release();
      }
    });
}

/** `jobs of queue a: ['job1', 'job2']; of queue b: ['x']`. */
function listOf(jobs: readonly HostJob[]): string {
  const groups = [...Map.groupBy(jobs, ({ queue }) => queue)];
  const texts = groups.map(([queue, own]) => `of queue ${queue}: ${nameList(own.map(({ job }) => job), NAMED)}`);
  return `jobs ${texts.join("; ")}`;
}
