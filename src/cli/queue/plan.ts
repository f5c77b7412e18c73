/**
 * `cms queue plan`.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CmsError } from "../../errors.ts";
import { someNames } from "../../names/some_names.ts";
import { renderDuration } from "../../names/units.ts";
import type { Plan, PlanRequest } from "../../operations/plan_run.ts";
import { printable } from "../../output/printable.ts";
import { renderFor } from "../../output/records.ts";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { countValue, durationText, formatValue, unquote } from "../names.ts";
import { durationValue } from "./wait.ts";

const COLUMNS = ["job", "host", "machine", "start", "end"];
/** Hosts that are listed, and groups of jobs that never start. */
const LISTED = 20;

/** The words as the grammar gives them. */
interface PlanWords {
  readonly hosts?: string;
  readonly hostfile?: string;
  readonly max_parallel?: number;
  readonly duration?: number;
  readonly timeLimit?: string;
}

/** Adds the command to its group. */
export function addPlan(group: CommandUnknownOpts, context: Context): void {
  const text = (value: string) => unquote(value);
  queueVerb(group, "plan", "say who would run where and when, and how long it would take; starts nothing")
    .option("--hosts <hosts>", "hosts of the run, as queue run has them; +4: what four more would bring", text)
    .option("--hostfile <clusters>", "clusters whose active hosts are used, such as lab or lab,hpc", text)
    .option("--max-parallel, --max_parallel <n>", "plan a run of fifo with so many jobs at once", countValue)
    .option("--duration <duration>", "what each job takes, such as 10m (default: what jobs took so far)", durationValue)
    .option("--time-limit <duration>", "time limit of jobs without one", durationText)
    .option("--output <format>", "table, json, yaml or csv (default: text)", formatValue)
    .addHelpText(
      "after",
      examples(
        "cms queue plan a --hostfile=a",
        "cms queue plan a --hostfile=a --duration=10m --hosts=+4",
        "cms queue plan a --hosts=pi@red[01-04] --output=csv",
      ),
    )
    .action(async (word, { output, ...words }) => {
      const queue = queueOf(context, word, words);
      const request = await requestOf(context, queue, words as PlanWords);
      if (request === null) return;
      const { planRun } = await import("../../operations/plan_run.ts");
      const plan = await planRun(context.deps, request);
      if (output === undefined) return context.io.out(planText(plan));
      if (output === "table" || output === "csv") {
        const records = plan.jobs.map((job) => ({ ...recordOf(job), extra: {} }));
        return context.io.out(await renderFor(context.io, output, COLUMNS, records));
      }
      context.io.out(await renderFor(context.io, output, [], [{ ...planRecord(plan), extra: {} }]));
    });
}

async function requestOf(
  context: Context,
  queue: PlanRequest["queue"],
  { hosts, hostfile, max_parallel: maxParallel, duration, timeLimit }: PlanWords,
): Promise<PlanRequest | null> {
  const [, count] = /^\+([0-9]{1,5})$/.exec(hosts ?? "") ?? [];
  const more = Number(count ?? 0);
  if (hosts?.startsWith("+") && more === 0) {
    throw new CmsError("usage", `Cannot use --hosts=${hosts}: give +4 for four more, or a list of hosts`);
  }
  const list = count === undefined ? hosts : undefined;
  const rest = { queue, durationMs: duration ?? null, more, timeLimit };
  if (maxParallel !== undefined) {
    if (list !== undefined || hostfile !== undefined) {
      throw new CmsError("usage", "Cannot use --max_parallel with --hosts or --hostfile: a run has one or the other");
    }
    return { ...rest, way: { scheduler: "fifo", maxParallel } };
  }
  if (list === undefined && hostfile === undefined) {
    throw new CmsError("usage", "Cannot plan without hosts: give --hostfile, --hosts or --max_parallel");
  }
  const { chooseHosts } = await import("./choose_hosts.ts");
  const chosen = await chooseHosts(context, { hosts: list, hostfile, experiment: queue.experiment });
  return chosen === null ? null : { ...rest, way: { scheduler: "fifo_multi", ...chosen } };
}

function recordOf({ job, host, machine, startMs, endMs }: Plan["jobs"][number]): Record<string, unknown> {
  return { job, host, machine, start: startMs / 1000, end: endMs / 1000 };
}

/** A plan as data: times in seconds. */
export function planRecord(plan: Plan): Record<string, unknown> {
  return {
    queue: plan.queue,
    slots: plan.slots,
    makespan: plan.makespanMs / 1000,
    idle: Math.round(plan.idle * 1000) / 1000,
    known: plan.known,
    more: plan.more === null ? null : { hosts: plan.more.hosts, makespan: plan.more.makespanMs / 1000 },
    never: plan.never.map(({ reason, jobs }) => ({ reason, jobs: [...jobs] })),
    jobs: plan.jobs.map(recordOf),
  };
}

function planText(plan: Plan): string {
  const { queue, jobs, slots, makespanMs, idle, never, known, more } = plan;
  const from = known === null ? "" : `, by what ${known} took so far`;
  const lines = [`Queue ${queue}: ${jobs.length} ${jobs.length === 1 ? "job" : "jobs"} on ${slots} slots${from}`];
  if (jobs.length > 0) {
    lines.push(`Done in ${renderDuration(makespanMs)}; slots have no job for ${Math.round(idle * 100)} % of that time`);
  }
  const hosts = [...Map.groupBy(jobs, ({ host, machine }) => host === null || host.startsWith("#") ? machine : host)];
  for (const [host, own] of hosts.slice(0, LISTED)) {
    const last = own.reduce((most, { endMs }) => Math.max(most, endMs), 0);
    lines.push(`  ${host}: ${own.length} ${own.length === 1 ? "job" : "jobs"}, the last until ${renderDuration(last)}`);
  }
  if (hosts.length > LISTED) lines.push(`  and ${hosts.length - LISTED} more hosts`);
  for (const { reason, jobs: own } of never.slice(0, LISTED)) lines.push(`Never starts: ${someNames(own)}: ${reason}`);
  if (more !== null) {
    const sooner = makespanMs - more.makespanMs;
    const gain = sooner < 1000 ? "no sooner" : `${renderDuration(sooner)} sooner`;
    const what = more.hosts === 1 ? "1 more host" : `${more.hosts} more hosts`;
    lines.push(`With ${what}: done in ${renderDuration(more.makespanMs)}, ${gain}`);
  }
  return lines.map((line) => `${printable(line)}\n`).join("");
}
