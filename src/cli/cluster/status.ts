/**
 * `cms cluster status`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { fold } from "../../names/fold.ts";
import { renderDuration } from "../../names/units.ts";
import type { HostStatus } from "../../operations/cluster_status.ts";
import { printable } from "../../output/printable.ts";
import { renderFor } from "../../output/records.ts";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { formatValue } from "../names.ts";

const COLUMNS = ["id", "machine", "status", "slots", "used", "link", "jobs"];
/** Jobs of one host that are named in its line. */
const NAMED = 8;

/** Adds the command to its group. */
export function addClusterStatus(group: CommandUnknownOpts, context: Context): void {
  clusterVerb(group, "status", "show the slots of the hosts and what runs in them, of all queues of the experiment")
    .option("--output <format>", "table, json, yaml or csv (default: a line for each host)", formatValue)
    .addHelpText("after", examples("cms cluster status a", "cms cluster status a --output=json"))
    .action(async (word, { output, ...words }) => {
      const cluster = clusterOf(context, word, words);
      const { clusterStatus } = await import("../../operations/cluster_status.ts");
      const hosts = await clusterStatus(context.deps, { cluster });
      const nowMs = context.deps.clock.epochMs();
      if (output !== undefined) {
        const records = hosts.map(({ jobs, ...host }) => ({
          ...host,
          jobs: output === "table" ? jobsText(jobs, nowMs) : jobs.map(({ queue, job, startedMs }) => ({
            queue,
            job,
            seconds: startedMs === null ? null : Math.max(0, Math.round((nowMs - startedMs) / 1000)),
          })),
          extra: {},
        }));
        return context.io.out(await renderFor(context.io, output, COLUMNS, records));
      }
      if (hosts.length === 0) return context.lines.info(`Cluster ${cluster.name} has no hosts.`);
      const lines = Map.groupBy(hosts, (host) => lineOf(host, nowMs));
      context.io.out([...lines].map(([text, alike]) => `${fold(alike.map(({ id }) => id))}: ${text}\n`).join(""));
      const [slots, used] = [
        hosts.filter(isActive).reduce((sum, host) => sum + host.slots, 0),
        hosts.reduce((sum, host) => sum + host.used, 0),
      ];
      context.io.out(`${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}, ${used} of ${slots} slots in use\n`);
    });
}

function isActive({ status }: HostStatus): boolean {
  return status === "active";
}

function lineOf(host: HostStatus, nowMs: number): string {
  const { slots, used, jobs, link } = host;
  const parts = [isActive(host) ? `${used} of ${slots} in use` : host.status];
  if (link === "down") parts.push("does not answer");
  const running = jobs.length === 0 ? "" : `: ${jobsText(jobs, nowMs)}`;
  return printable(parts.join(", ") + running);
}

function jobsText(jobs: HostStatus["jobs"], nowMs: number): string {
  const names = jobs.slice(0, NAMED).map(({ queue, job, startedMs }) =>
    `${queue}/${job}${startedMs === null ? "" : ` ${renderDuration(Math.max(0, nowMs - startedMs))}`}`
  );
  return names.join(", ") + (jobs.length > NAMED ? ` and ${jobs.length - NAMED} more` : "");
}
