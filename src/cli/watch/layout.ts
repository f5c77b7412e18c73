/**
 * The screen of `queue watch` as lines, for any size from 20 columns and 8 rows on. Pure.
 *
 * @module
 */

import stringWidth from "string-width";
import type { Job } from "../../job/job.ts";
import { placeOf } from "../../job/job.ts";
import { isFailed } from "../../job/outcome.ts";
import { durationMs } from "../../job/where.ts";
import type { JobName } from "../../names/grammar.ts";
import { renderDuration } from "../../names/units.ts";
import { pauseText } from "../../operations/job_reason.ts";
import { type BoardHost, endText, type QueueBoard } from "../../operations/queue_board.ts";
import { usedSlots } from "../../operations/used_slots.ts";
import { printable } from "../../output/printable.ts";

/** What a person has chosen. */
export interface Look {
  /** The job that the cursor is on. */
  readonly selected: JobName | null;
  readonly isFailedOnly: boolean;
  /** What stands at the bottom in place of the keys: a question, or what was done. */
  readonly message: string;
}

/** A line of the screen. `tone`: how it is painted. */
export interface Row {
  readonly text: string;
  readonly tone?: "head" | "selected" | "failed" | "faint";
  readonly job?: JobName;
}

/** Rows and columns of a terminal. */
export interface Size {
  readonly rows: number;
  readonly columns: number;
}

const KEYS = "arrows: choose  enter: output  f: failed only  p: pause  k: kill  q: quit";

/** The screen: as many lines as there are rows. */
export function layout(name: string, board: QueueBoard, look: Look, size: Size): Row[] {
  const top: Row[] = [
    { text: titleOf(name, board) },
    { text: numbersOf(board) },
    { text: barOf(board, size.columns) },
  ];
  const room = Math.max(2, size.rows - top.length - 1);
  const body = look.isFailedOnly ? failedRows(board, room) : usualRows(board, look, room);
  const filled = [...top, ...window(body, look.selected, room)].slice(0, size.rows - 1);
  while (filled.length < size.rows - 1) filled.push({ text: "" });
  const bottom: Row = { text: look.message === "" ? KEYS : look.message, tone: "head" };
  return [...filled, bottom].map((row) => ({
    ...row,
    ...(row.job !== undefined && row.job === look.selected ? { tone: "selected" as const } : {}),
    text: clip(printable(row.text), size.columns),
  }));
}

/** Jobs that the cursor can stand on, in the order of the screen. */
export function selectable(board: QueueBoard, { isFailedOnly }: Pick<Look, "isFailedOnly">): JobName[] {
  if (isFailedOnly) return board.failures.map(({ name }) => name);
  const running = board.hosts().flatMap(({ jobs }) => jobs.map(({ name }) => name));
  return [...running, ...board.ends.map(({ name }) => name).filter((name) => !board.running.has(name))];
}

/** The text in so many columns of the screen at most. */
export function clip(text: string, columns: number): string {
  // Most lines are plain and short.
  if (text.length <= columns && /^[\x20-\x7e]*$/.test(text)) return text;
  let width = 0;
  let end = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += stringWidth(segment);
    if (width > columns) return text.slice(0, end);
    end += segment.length;
  }
  return text;
}

function titleOf(name: string, board: QueueBoard): string {
  const about = board.run?.about;
  const cluster = about?.cluster ? ` on cluster ${about.cluster}` : "";
  const run = board.isRun ? `${about!.scheduler}${cluster}, process ${board.run!.pid}` : "no run works on it";
  return `Queue ${name}: ${run}${board.pause === null ? "" : `; ${pauseText(board.pause)}`}`;
}

function numbersOf(board: QueueBoard): string {
  const left = board.left();
  const rate = board.rate();
  const parts = [`${board.done} of ${board.total} done`, `${board.runningCount} running`, `${board.failed} failed`];
  if (rate > 0) parts.push(`${rate.toFixed(rate < 1 ? 2 : 1)} jobs/s`);
  if (left !== null && board.done < board.total) {
    const [least, most] = left.map(renderDuration);
    parts.push(`done in ${least === most ? least : `${least} to ${most}`}`);
  }
  return parts.join(", ");
}

function barOf({ done, failed, total }: QueueBoard, columns: number): string {
  const part = total === 0 ? 0 : done / total;
  const width = Math.max(4, Math.min(columns, 100) - 8);
  const bad = total === 0 ? 0 : Math.ceil(width * failed / total);
  const full = Math.max(bad, Math.floor(width * part));
  const bar = "#".repeat(full - bad) + "x".repeat(bad) + ".".repeat(width - full);
  return `[${bar}] ${String(Math.floor(part * 100)).padStart(3)} %`;
}

function usualRows(board: QueueBoard, look: Look, room: number): Row[] {
  const hosts = board.hosts();
  const running = hosts.flatMap((host) => hostRows(board, host));
  const ends = board.ends.filter(({ name }) => !board.running.has(name)).map(endRow);
  const least = Math.min(ends.length, Math.max(1, Math.floor(room * 0.35)));
  const above = Math.max(1, Math.min(running.length, room - 2 - least));
  const shown = window(running, look.selected, above);
  const hidden = running.length - shown.length;
  const head = row("HOST", "SLOTS", "JOB", "FOR") + (hidden > 0 ? `   (${hidden} more lines)` : "");
  return [
    { text: head, tone: "head" },
    ...shown,
    { text: row("ENDED", "", "HOW", "TOOK"), tone: "head" },
    ...window(ends, look.selected, Math.max(1, room - 2 - shown.length)),
  ];
}

function failedRows(board: QueueBoard, room: number): Row[] {
  const head: Row = { text: row(`FAILED (${board.failed})`, "", "WHY", "TOOK"), tone: "head" };
  const rows = board.failures.map(endRow);
  return [head, ...rows.slice(0, Math.max(rows.length, room - 1))];
}

/** One line for each job of a host, the first with the host's name; one for a host without jobs. */
function hostRows(board: QueueBoard, { name, slots, trouble, jobs }: BoardHost): Row[] {
  const used = slots === null ? String(jobs.length) : `${usedSlots(jobs, slots)}/${slots}`;
  if (jobs.length === 0) return [{ text: row(name, used, trouble, ""), tone: "faint" }];
  return jobs.map((job, i) => {
    const forMs = board.runsFor(job);
    const since = forMs === null ? "starting" : renderDuration(forMs);
    const note = i === 0 && trouble !== "" ? ` ${trouble}` : "";
    return { text: row(i === 0 ? name : "", i === 0 ? used : "", job.name, since + note), job: job.name };
  });
}

function endRow(job: Job): Row {
  const tookMs = durationMs(job);
  const where = placeOf(job);
  const how = endText(job) + (where === null || where === "" ? "" : ` on ${where}`);
  const text = row(job.name, "", how, tookMs === null ? "" : renderDuration(tookMs));
  return { text, job: job.name, ...(isFailed(job) ? { tone: "failed" as const } : {}) };
}

/** Columns that fit 80. */
function row(first: string, second: string, third: string, fourth: string): string {
  return `${first.padEnd(20)} ${second.padEnd(7)} ${third.padEnd(36)} ${fourth}`.trimEnd();
}

/** So many of the rows, with the selected one among them. */
function window(rows: readonly Row[], selected: JobName | null, room: number): Row[] {
  if (rows.length <= room) return [...rows];
  const at = selected === null ? 0 : Math.max(0, rows.findIndex(({ job }) => job === selected));
  const from = Math.min(Math.max(0, at - room + 1 + Math.floor(room / 4)), rows.length - room);
  return rows.slice(from, from + room);
}
