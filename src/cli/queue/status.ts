/**
 * `cms queue status`: how a queue stands, on one screen.
 *
 * @module
 */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { isoSeconds } from "../../job/job.ts";
import { JOB_STATES } from "../../job/states.ts";
import { renderDuration } from "../../names/units.ts";
import { pauseText } from "../../operations/job_reason.ts";
import type { QueueStatus } from "../../operations/queue_status.ts";
import { runningJobs } from "../../operations/used_slots.ts";
import { printable } from "../../output/printable.ts";
import { renderFor } from "../../output/records.ts";
import { type Context, examples, queueOf, queueVerb } from "../context.ts";
import { formatValue } from "../names.ts";
import { giveWay } from "./give_way.ts";

/** Adds the command to its group. */
export function addStatus(group: CommandUnknownOpts, context: Context): void {
  const verb = queueVerb(
    group,
    "status",
    "show how a queue stands: run, counts, rate, time left, hosts, last failures; without a name all queues",
  );
  verb.registeredArguments[0]!.description = "name of the queue, also queue=NAME (default: all queues)";
  verb
    .option("--output <format>", "table, json, yaml or csv (default: text)", formatValue)
    .addHelpText("after", examples("cms queue status", "cms queue status a", "cms queue status a --output=json"))
    .action(async (word, { output, ...words }) => {
      const { deps, io } = context;
      const queue = queueOf(context, word, words);
      await giveWay(context.deps, queue);
      const { allStatuses, queueStatus } = await import("../../operations/queue_status.ts");
      const isOne = word !== undefined || words.queue !== undefined;
      const all = isOne ? [await queueStatus(deps, { queue })] : await allStatuses(deps, queue);
      const nowMs = deps.clock.epochMs();
      if (output !== undefined) {
        return io.out(await renderFor(io, output, COLUMNS, all.map((one) => recordOf(one, nowMs))));
      }
      if (all.length === 0) {
        return context.lines.info(`There is no queue in ${queue.experiment}; cms queue create makes one`);
      }
      io.out(isOne ? statusText(all[0]!, nowMs) : all.map(lineText).join(""));
    });
}

const COLUMNS = ["queue", "run", "total", "done", "running", "waiting", "failed"];

function recordOf(status: QueueStatus, nowMs: number): Record<string, unknown> & { extra: Record<string, unknown> } {
  const { run, counts, total, failed, kept, ratePerS, leftMs } = status;
  return {
    queue: status.queue,
    run: run?.isRunning === true ? run.pid : null,
    since: run?.isRunning === true ? timeText(run.about.began) : null,
    ending: run?.isRunning === true ? run.about.ending ?? null : null,
    last_run: status.lastRun,
    paused: status.pause !== null,
    total,
    done: doneOf(status),
    running: counts.start + counts.run,
    waiting: counts.undefined + counts.ready,
    failed,
    kept,
    rate: ratePerS,
    left_least: leftMs === null ? null : leftMs[0] / 1000,
    left_most: leftMs === null ? null : leftMs[1] / 1000,
    ends: endsAtMs(status, nowMs)?.map(timeText) ?? null,
    counts,
    hosts: status.hosts,
    machines: run?.about.machines ?? {},
    plan: status.plan === null ? null : {
      jobs: status.plan.jobs,
      makespan: status.plan.makespanMs / 1000,
      took: status.plan.tookMs === null ? null : status.plan.tookMs / 1000,
    },
    failures: status.failures,
    extra: {},
  };
}

function doneOf({ counts }: QueueStatus): number {
  return counts.end + counts.kill + counts.fail_start + counts.crash;
}

function lineText(status: QueueStatus): string {
  const { total, failed, counts, run } = status;
  const state = run?.isRunning === true ? `runs (process ${run.pid})` : "no run";
  const running = runningJobs(counts, run?.isRunning === true ? run.about.slots : null);
  const paused = status.pause === null ? "" : "paused, ";
  return `${status.queue}: ${state}, ${paused}${
    doneOf(status)
  } of ${total} done, ${running} running, ${failed} failed\n`;
}

function statusText(status: QueueStatus, nowMs: number): string {
  const { queue, total, counts, failed, kept, run, hosts, ratePerS, failures } = status;
  const about = run?.about;
  const lines: string[] = [];
  if (run?.isRunning === true) {
    const from = about?.cluster === null || about?.cluster === undefined ? "" : ` on cluster ${about.cluster}`;
    const since = timeText(about?.began);
    lines.push(
      `Queue ${queue}: ${about?.scheduler} runs it${from}, process ${run.pid} on ${run.hostname}${
        since === null ? "" : `, since ${since}`
      }`,
    );
    if (about?.ending !== undefined) lines.push(`No job starts: the run is ${about.ending}`);
  } else lines.push(`Queue ${queue}: no run works on it; cms queue run starts one`);
  if (status.lastRun !== null) lines.push(lastRunText(status.lastRun));
  if (status.pause !== null) {
    lines.push(`No job starts: ${pauseText(status.pause)}; cms queue resume ${queue} ends that`);
  }
  const states = JOB_STATES.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
  lines.push(`Jobs: ${doneOf(status)} of ${total} done, ${failed} failed (${states.join(", ") || "none"})`);
  if (kept > 0) lines.push(`Of those that wait, ${kept} may not start yet: cms queue explain ${queue} says why`);
  if (ratePerS !== null) {
    lines.push(`Rate: ${ratePerS.toFixed(ratePerS < 1 ? 2 : 1)} jobs/s in the last minute${endText(status, nowMs)}`);
    const used = hosts.reduce((sum, host) => sum + host.used, 0);
    lines.push(`Slots: ${used} of ${about?.slots ?? 0} in use`);
    for (const host of hosts) lines.push(`  ${host.machine}: ${slotsText(host)}`);
  }
  if (status.plan !== null) lines.push(planText(status.plan));
  if (failures.length > 0) lines.push("Last failures:");
  for (const { job, reason, machine, ended } of failures) {
    lines.push(`  ${job}: ${reason}${machine === null ? "" : ` on ${machine}`}${ended === null ? "" : `, ${ended}`}`);
  }
  return lines.map((line) => `${printable(line)}\n`).join("");
}

/** `2 of 4 in use, 2 free`. */
function slotsText({ link, slots, used }: QueueStatus["hosts"][number]): string {
  if (slots === null) return link === "down" ? "does not answer" : `${used} in use`;
  const silent = link === "down" ? ", does not answer" : link === null ? ", not reached yet" : "";
  return `${used} of ${slots} in use, ${Math.max(0, slots - used)} free${silent}`;
}

/** `, ends between 2026-01-31T12:00:00Z and 2026-01-31T12:05:00Z (in 5m to 10m)`. */
function endText({ leftMs }: QueueStatus, nowMs: number): string {
  if (leftMs === null) return "";
  const [least, most] = leftMs;
  if (least === most) return `, ends at about ${timeText(least + nowMs)} (in ${renderDuration(least)})`;
  const span = `in ${renderDuration(least)} to ${renderDuration(most)}`;
  return `, ends between ${timeText(nowMs + least)} and ${timeText(nowMs + most)} (${span})`;
}

/** `Last run: halted at 2026-01-31T12:00:00Z, 4 ran, 3 failed, 6 waiting`. */
function lastRunText({ outcome, began, ended, ran, failed, waiting }: NonNullable<QueueStatus["lastRun"]>): string {
  if (ended === null) return `Last run: ${outcome}, begun at ${began}`;
  return `Last run: ${outcome} at ${ended}, ${ran} ran, ${failed} failed, ${waiting} waiting`;
}

function endsAtMs({ leftMs }: QueueStatus, nowMs: number): number[] | null {
  return leftMs?.map((ms) => nowMs + ms) ?? null;
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : isoSeconds(ms);
}

/** `Plan: 40 jobs in 1m4s; the run took 1m6s, 3 % longer`. */
function planText({ jobs, makespanMs, tookMs }: NonNullable<QueueStatus["plan"]>): string {
  const said = `Plan: ${jobs} ${jobs === 1 ? "job" : "jobs"} in ${renderDuration(makespanMs)}`;
  if (tookMs === null) return said;
  const off = makespanMs === 0 ? 0 : Math.round(100 * (tookMs - makespanMs) / makespanMs);
  const how = off === 0 ? "as planned" : `${Math.abs(off)} % ${off > 0 ? "longer" : "shorter"}`;
  return `${said}; the run that followed took ${renderDuration(tookMs)}, ${how}`;
}
