/**
 * `cms queue show` and `cms queue explain`: one job in words, and why jobs do not run.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { CmsError } from "../../errors.ts";
import { type Job, placeOf } from "../../job/job.ts";
import type { PastTry } from "../../job/options.ts";
import { setOptions } from "../../job/options.ts";
import { isWaiting } from "../../job/states.ts";
import { quote } from "../../names/quote.ts";
import { renderDuration } from "../../names/units.ts";
import { queueCommand } from "../../operations/finding.ts";
import { JOB_FILES, pathOf } from "../../operations/output_files.ts";
import type { JobStory, Neighbour } from "../../operations/show_job.ts";
import { printable } from "../../output/printable.ts";
import { renderFor } from "../../output/records.ts";
import type { StoreRef } from "../../store/store.ts";
import { type Context, examples, queueAndJob, queueVerb } from "../context.ts";
import { formatValue, unquote } from "../names.ts";
import { giveWay } from "./give_way.ts";

/** Adds `show`. */
export function addShow(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "show", "show everything of a job: state and reason, tries, files, what it waits for")
    .argument("[job]", "the job (required)", unquote)
    .option("--output <format>", "table, json, yaml or csv (default: text)", formatValue)
    .addHelpText("after", examples("cms queue show a job3", "cms queue show a job3 --output=json"))
    .action(async (word, given, { output, ...words }) => {
      const { queue, job } = queueAndJob(context, word, given, words);
      if (job === undefined) throw new CmsError("usage", "Missing required argument 'job'; see: cms help queue show");
      await giveWay(context.deps, queue);
      const { showJob } = await import("../../operations/show_job.ts");
      const story = await showJob(context.deps, { queue, job });
      if (output === undefined) return context.io.out(storyText(story, queue));
      const { extra, ...fields } = story.job;
      const seconds = story.durationMs === null ? null : story.durationMs / 1000;
      const record = { ...fields, reason: story.reason, duration: seconds, try: story.try, tries: story.tries, extra };
      context.io.out(await renderFor(context.io, output, ["name", "status", "reason", "duration", "try"], [record]));
    });
}

/** Adds `explain`. */
export function addExplain(group: CommandUnknownOpts, context: Context): void {
  queueVerb(group, "explain", "say why jobs do not run, and how each host stands")
    .argument("[job]", "a job (default: all that wait, by their reasons)", unquote)
    .option("--output <format>", "table, json, yaml or csv (default: text)", formatValue)
    .addHelpText(
      "after",
      examples("cms queue explain a", "cms queue explain a job3", "cms queue explain a --output=json"),
    )
    .action(async (word, given, { output, ...words }) => {
      const { queue, job: asked } = queueAndJob(context, word, given, words);
      await giveWay(context.deps, queue);
      const { explainJobs } = await import("../../operations/explain_jobs.ts");
      const { job: one, reasons, hosts } = await explainJobs(context.deps, { queue, job: asked });
      if (output !== undefined) {
        const rows = one === null ? reasons : [{ job: one.name, reason: one.reason, count: 1 }];
        const stands = hosts.map(({ host, stand }) => ({ host, reason: stand }));
        const records = [...rows, ...stands].map((row) => ({ job: null, host: null, count: null, ...row, extra: {} }));
        return context.io.out(await renderFor(context.io, output, ["job", "host", "count", "reason"], records));
      }
      const lines = one === null
        ? reasons.map(({ reason, count }) => `${count} ${count === 1 ? "job" : "jobs"}: ${reason}`)
        : [`${one.name}: ${one.reason}`];
      if (one === null && reasons.length === 0) lines.push(`No job of queue ${queue.name} waits.`);
      for (const { host, stand } of hosts) lines.push(`  ${host}: ${stand}`);
      context.io.out(lines.map((line) => `${printable(line)}\n`).join(""));
    });
}

/** A job in words. Left out is what is not set. */
function storyText(story: JobStory, queue: StoreRef): string {
  const { job } = story;
  const machine = placeOf(job) ?? "";
  const took = story.durationMs === null ? "" : ` (${renderDuration(story.durationMs)})`;
  const times = job.started === null ? "" : `${job.started}${job.ended === null ? "" : ` to ${job.ended}`}${took}`;
  const tries = story.tries > 1 ? `try ${story.try} of ${story.tries}` : "";
  const log = (...words: string[]): string => queueCommand(queue, "log", job.name, ...words);
  // What ran before is told by the rows of its tries.
  const place: [string, string][] = isWaiting(job.status)
    ? [["next", tries], ["host", story.earlier.length > 0 ? "" : machine]]
    : [["ran on", [machine, tries, times].filter((part) => part !== "").join(", ")]];
  const rows: [string, string][] = [
    ["job", `${job.name} of queue ${queue.name}`],
    ["state", `${job.status}: ${story.reason}`],
    ["command", job.command],
    ...place,
    ...story.earlier.map((past): [string, string] => [`try ${past.try}`, pastText(past)]),
    ["waits for", story.waitsFor.map(neighbourText).join(", ")],
    ["needed by", story.neededBy.map(neighbourText).join(", ")],
    ...Object.entries(optionsOf(story)).map(([field, value]): [string, string] => [field, shown(value)]),
  ];
  if (job.attempt > 0) {
    rows.push(["files", filesText(job)], ["output", log()], ["errors", log("--error")], ["states", log("--states")]);
  }
  const told = rows.filter(([, text]) => text !== "");
  const width = Math.max(10, ...told.map(([title]) => title.length));
  return told.map(([title, text]) => `${title.padEnd(width)} ${printable(text)}\n`).join("");
}

/** `pi@red:experiment/job3/: job3.out, job3-nohup.log, job3.log`. */
function filesText(job: Job): string {
  const where = job.host === null || job.host === "localhost" ? "" : `${placeOf(job)}:`;
  const names = JOB_FILES.toReversed().map((file) => pathOf(job, file));
  return `${where}${job.experiment}/${job.job_directory ?? job.name}/: ${names.join(", ")}`;
}

/** Options that another row shows. */
const SHOWN = ["after", "after_any", "after_notok", "reason", "history", "replaced", "not_before"];

/** Options that no other row shows. */
function optionsOf({ job }: JobStory): Record<string, unknown> {
  const plain = { shell: job.shell === "bash" ? null : job.shell, gpu: job.gpu, pyenv: job.pyenv, ...setOptions(job) };
  const isOwn = ([field, value]: [string, unknown]): boolean =>
    value !== null && value !== "" && !SHOWN.includes(field);
  return Object.fromEntries(Object.entries(plain).filter(isOwn));
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value).map(([name, one]) => `${name}=${quote(String(one))}`).join(" ");
}

function pastText({ user, host, started, ended, status, exit_code, reason }: PastTry): string {
  const where = host === null ? "" : ` on ${placeOf({ user, host })}`;
  const why = reason ?? (exit_code === null ? status : `exit code ${exit_code}`);
  return `${why}${where}${started === null ? "" : `, ${started} to ${ended ?? "?"}`}`;
}

function neighbourText({ name, status }: Neighbour): string {
  return `${name} (${status ?? "not in the queue"})`;
}
