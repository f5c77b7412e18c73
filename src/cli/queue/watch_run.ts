/**
 * Runs a queue and shows it: the document's lines, a progress line on a terminal, and what Ctrl-C does.
 *
 * @module
 */

import { type Machine, machineText } from "../../cluster/machine.ts";
import type { Clock } from "../../deps.ts";
import { makeConnect } from "../../link/connect.ts";
import type { PushReport } from "../../link/push.ts";
import { quote } from "../../names/quote.ts";
import type { NoticeWishes } from "../../operations/notices/notice.ts";
import { Notices } from "../../operations/notices/notices.ts";
import { runQueue } from "../../operations/run_queue.ts";
import type { Progress, RunResult } from "../../scheduler/report.ts";
import type { Context } from "../context.ts";
import { filesText } from "../output/files_text.ts";
import { makeLines } from "../output/lines.ts";
import { progressText, StatusLine } from "../output/progress.ts";
import { RunLines } from "../output/run_lines.ts";

/** What a run is asked for. */
export type RunRequest = Parameters<typeof runQueue>[1];

/**
 * Runs the queue to its end; sets the exit status 1 if a job did not end well or jobs are left. @param isVerbose Says
 * which files go to machines, and how.
 */
export async function runAndWatch(
  context: Context,
  request: RunRequest,
  wishes: NoticeWishes,
  isVerbose: boolean = false,
): Promise<void> {
  const { deps, io } = context;
  const screen = io.outIsTerminal && deps.environment.get("TERM") !== "dumb" ? new StatusLine(io, deps.clock) : null;
  const lines = screen === null ? context.lines : makeLines(screen, deps.environment);
  const view = new RunLines(lines, {
    scheduler: request.scheduler,
    queue: request.queue,
    again: commandLine(context.args),
    now: () => deps.clock.now(),
  });
  const count = screen === null ? () => {} : makeCounter(deps.clock, screen);
  const warn = (text: string): void => view.event({ type: "warning", text });
  const notices = new Notices(deps, request.queue, wishes, warn);
  const interrupts = io.interrupts();
  try {
    const say = (verb: string) => (machine: Machine, report: PushReport): void =>
      lines.info(`${verb} ${filesText(report)} to ${machineText(machine)} by ${report.way}`);
    const connect = isVerbose ? makeConnect(deps, { onSent: say("Sent") }) : undefined;
    const onPushed = isVerbose ? say("Pushed") : undefined;
    const result = await runQueue(deps, { ...request, notices, onPushed }, {
      stop: interrupts.stop,
      leave: interrupts.leave,
      onEvent: (event) => {
        if (event.type === "progress") count(event.progress);
        view.event(event);
      },
    }, connect);
    screen?.close();
    view.result(result);
    if (!isGood(result, request.halt?.why ?? "fail")) context.status = 1;
    await notices.finish(result, context.status, interrupts.leave);
  } finally {
    screen?.close();
    interrupts.release();
  }
}

/** True if the run did what it was asked for. One that halted did, unless it is for jobs that failed by themselves. */
function isGood({ failed, skipped, left, outcome }: RunResult, halts: "fail" | "success" | "done"): boolean {
  if (outcome !== "halted") return outcome === "done" && failed.length + skipped.length + left.length === 0;
  return halts === "success" || (halts === "done" && failed.every(({ state }) => state === "kill"));
}

/** Keeps the progress line up to date. The rate counts what ended since the first numbers came. */
function makeCounter(clock: Clock, screen: StatusLine): (progress: Progress) => void {
  let first: { progress: Progress; atMs: number } | null = null;
  return (progress) => {
    first ??= { progress, atMs: clock.now() };
    const { progress: { done }, atMs } = first;
    screen.show(() => progressText(progress, progress.done - done, clock.now() - atMs));
  };
}

/** The command as a person would type it again: without the file that one in the background is given. */
function commandLine(args: readonly string[]): string {
  const words = args.filter((arg) => !arg.startsWith("--refusal=")).map((arg) =>
    /^[A-Za-z0-9_@%+=:,./-]+$/.test(arg) ? arg : quote(arg)
  );
  return ["cms", ...words].join(" ");
}
