/**
 * `cms cluster check`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { fold } from "../../names/fold.ts";
import { renderKiB } from "../../names/units.ts";
import type { HostCheck } from "../../operations/check_hosts.ts";
import { printable } from "../../output/printable.ts";
import { renderFor } from "../../output/records.ts";
import { clusterOf, clusterVerb, type Context, examples } from "../context.ts";
import { formatValue } from "../names.ts";
import { listValue } from "../options.ts";

const COLUMNS = ["id", "machine", "status", "well", "connect_ms", "clock_s", "room", "gpus", "shell", "notes"];

/** Adds the command to its group. */
export function addClusterCheck(group: CommandUnknownOpts, context: Context): void {
  clusterVerb(group, "check", "ask all hosts at once whether jobs can run there; changes nothing")
    .option("--id <id>", "only these hosts; a list such as host[1-4]", listValue)
    .option("--wide", "a table with all that each host says")
    .option("--output <format>", "table, json, yaml or csv (default: a line for hosts that are alike)", formatValue)
    .addHelpText(
      "after",
      examples(
        "cms cluster check a",
        "cms cluster check a --id=red[01-04] --wide",
        "cms cluster check a --output=json",
      ),
    )
    .action(async (word, { id, wide, output, ...words }) => {
      const cluster = clusterOf(context, word, words);
      const { checkHosts } = await import("../../operations/check_hosts.ts");
      const checks = await checkHosts(context.deps, { cluster, id });
      const format = output ?? (wide ? "table" : undefined);
      if (format !== undefined) {
        const records = checks.map((check) => ({ ...recordOf(check, format === "table"), extra: {} }));
        context.io.out(await renderFor(context.io, format, COLUMNS, records));
      } else if (checks.length === 0) context.lines.info(`Cluster ${cluster.name} has no hosts.`);
      else context.io.out(linesOf(checks));
      if (checks.some(({ troubles }) => troubles.length > 0)) context.status = 1;
    });
}

/** Hosts with equal answers in one line. */
function linesOf(checks: readonly HostCheck[]): string {
  const groups = Map.groupBy(checks, ({ troubles, notes }) => {
    const state = troubles.length === 0 ? "ok" : troubles.join("; ");
    return notes.length === 0 ? state : `${state} (${notes.join("; ")})`;
  });
  return [...groups].map(([text, alike]) => `${fold(alike.map(({ id }) => id))}: ${printable(text)}\n`).join("");
}

/** A check as a record with plain values; of a table, in words. */
export function recordOf({ facts, ...check }: HostCheck, isTable: boolean): Record<string, unknown> {
  const list = (values: readonly unknown[]): unknown => isTable ? values.join("; ") : values;
  const room = facts?.roomKiB ?? null;
  return {
    id: check.id,
    machine: check.machine,
    status: check.status,
    well: check.troubles.length === 0,
    connect_ms: facts === null ? null : Math.round(facts.connectMs),
    clock_s: facts === null || facts.clockMs === null ? null : Math.round(facts.clockMs / 100) / 10,
    room: isTable && room !== null ? renderKiB(room) : room,
    gpus: list(facts?.gpus ?? []),
    shell: facts?.shell ?? null,
    login_shell: facts?.login ?? null,
    missing: list([...facts?.missing ?? [], ...facts?.missingForInput ?? []]),
    troubles: list(check.troubles),
    notes: list(isTable ? [...check.troubles, ...check.notes] : check.notes),
  };
}
