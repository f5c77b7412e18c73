/**
 * `cms queue list`, also `info`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { countValue, formatValue, unquote } from "../names.ts";
import { giveWay } from "./give_way.ts";
import { selectionOf, warnOfMissing, withSelection } from "./selection.ts";
import { listValue } from "../options.ts";
import type { Job } from "../../job/job.ts";
import { JOB_COLUMNS, JOB_COLUMNS_WIDE } from "../../output/columns.ts";
import { queueCommand } from "../../operations/finding.ts";
import { type Format, renderFor } from "../../output/records.ts";
import type { StoreRef } from "../../store/store.ts";

/** Adds the command to its group. */
export function addList(group: CommandUnknownOpts, context: Context): void {
  withSelection(queueVerb(group, "list", "list the jobs of a queue"))
    .alias("info")
    .option("--wide", "show host, user, exit code, times, duration and reason too")
    .option("--columns <fields>", "which fields, such as name,status,duration,param.lr", listValue)
    .option("--sort <field>", "by this field, such as priority; -duration begins with the longest", unquote)
    .option("--output <format>", "table, json, yaml or csv (default: table)", formatValue)
    .option("--limit <n>", "only the first n jobs", countValue)
    .option("--quiet", "names alone, a line each")
    .addHelpText(
      "after",
      examples(
        "cms queue list a",
        "cms queue list a --failed --wide",
        "cms queue list a --where='param.lr<0.1' --output=csv",
      ),
    )
    .action(
      async (word, { wide, columns, sort, output = "table", limit, quiet, queue: name, experiment, ...words }) => {
        const { listJobsFollowed } = await import("../../operations/list_jobs.ts");
        const queue = queueOf(context, word, { ...(name && { queue: name }), ...(experiment && { experiment }) });
        const selection = Object.keys(words).length === 0 ? null : await selectionOf(words);
        const keep = selection === null
          ? undefined
          : (await import("../../operations/select_jobs.ts")).filterOf(selection);
        const isSorted = sort !== undefined;
        await giveWay(context.deps, queue);
        const found = await listJobsFollowed(context.deps, { queue, keep, limit: isSorted ? undefined : limit });
        const shape = { wide: wide === true, columns, sort, limit, output };
        const { jobs, fields } = await shaped(context, { queue, jobs: found.jobs, shape });
        if (quiet) context.io.out(jobs.map((job) => `${job.name}\n`).join(""));
        else if (output !== "table" || jobs.length > 0) {
          context.io.out(await renderFor(context.io, output, fields, jobs));
        } else if (selection !== null) context.lines.info(`No job of queue ${queue.name} fits.`);
        else context.lines.info(`Queue ${queue.name} is empty; to add a job: ${addOne(queue)}`);
        const isAll = Object.keys(words).every((key) => key === "name");
        if (isAll && limit === undefined) {
          const there = new Set<string>(found.jobs.map((job) => job.name));
          warnOfMissing(context, queue, (selection?.names ?? []).filter((name) => !there.has(name)));
        }
        if (found.unfollowed === 0) return;
        const which = found.unfollowed === 1
          ? "1 job is shown as running"
          : `${found.unfollowed} jobs are shown as running`;
        const command = queueCommand(queue, "refresh");
        context.lines.warning(`${which}, and no run follows: ${command} asks the hosts, cms queue run goes on`);
      },
    );
}

/** What is shown, and how. */
interface Shape {
  readonly wide: boolean;
  readonly columns: string | undefined;
  readonly sort: string | undefined;
  readonly limit: number | undefined;
  readonly output: Format;
}

/** The records that are shown, in their order, and the columns of a table. */
async function shaped(
  context: Context,
  { queue, jobs, shape }: { queue: StoreRef; jobs: readonly Job[]; shape: Shape },
): Promise<{ jobs: readonly Job[]; fields: readonly string[] }> {
  const { wide, columns, sort, limit, output } = shape;
  if (!wide && columns === undefined && sort === undefined) return { jobs, fields: JOB_COLUMNS };
  const { listRecord, paramColumns, readColumns } = await import("../../output/job_table.ts");
  const { sortJobs } = await import("../../job/sort.ts");
  const params = wide && output === "csv" ? paramColumns(jobs) : [];
  const fields = columns === undefined ? wide ? [...JOB_COLUMNS_WIDE, ...params] : JOB_COLUMNS : readColumns(columns);
  const sorted = sort === undefined ? jobs : sortJobs(jobs, sort).slice(0, limit);
  const reasons = fields.includes("reason") ? await reasonsFor(context, queue, sorted) : () => "";
  const records = sorted.map((job) => listRecord(job, { fields, format: output, reason: reasons(job) }));
  if (columns === undefined || output === "table") return { jobs: records, fields };
  // Other forms than tables hold what was asked for, and nothing else.
  const only = records.map((record) => Object.fromEntries(fields.map((field) => [field, record[field] ?? null])));
  return { jobs: only.map((record) => ({ ...record, extra: {} }) as unknown as Job), fields };
}

async function reasonsFor(context: Context, queue: StoreRef, jobs: readonly Job[]): Promise<(job: Job) => string> {
  const { reasonsOf } = await import("../../operations/job_reasons.ts");
  return await reasonsOf(context.deps, { queue, jobs });
}

function addOne(queue: StoreRef): string {
  return queueCommand(queue, "add", "--name=job1", "--command=hostname");
}
