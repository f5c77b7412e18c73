/**
 * What a run prints: a line or a few for each event, and the lines at its end. The original's text where it has one.
 *
 * @module
 */

import type { SchedulerName } from "../../store/run_status.ts";
import type { RunEvent, RunResult } from "../../scheduler/report.ts";
import { PYENV_EXIT_CODE } from "../../job/script.ts";
import type { JobState } from "../../job/states.ts";
import { queueCommand } from "../../operations/finding.ts";
import type { StoreRef } from "../../store/store.ts";
import { isNodeName } from "../../cluster/slurm_place.ts";
import { renderWait } from "../../names/units.ts";
import { type Lines, nameList } from "./lines.ts";
import { durationText } from "./progress.ts";

/** Most jobs that are named one by one at the end of a run. */
export const FAILED_LIMIT = 20;
const WAITING_EVERY_MS = 1000;

/** What {@link RunLines} needs to know. `again`: the command that goes on with a stopped run. */
export interface RunLinesOptions {
  readonly scheduler: SchedulerName;
  readonly queue: StoreRef;
  readonly again: string;
  readonly now: () => number;
}

/** Prints the events of one run. */
export class RunLines {
  readonly #lines: Lines;
  readonly #options: RunLinesOptions;
  #lastWaitingMs = -Infinity;
  #areOff = false;

  constructor(lines: Lines, options: RunLinesOptions) {
    this.#lines = lines;
    this.#options = options;
  }

  event(event: RunEvent): void {
    const lines = this.#lines;
    switch (event.type) {
      case "starting":
        lines.info(
          this.#options.scheduler === "fifo"
            ? `Running job: ${event.job} on ${event.machine}`
            : `Starting job: ${event.job} on host:${event.machine}`,
        );
        lines.banner(`Run: ${event.job}`);
        return lines.info(`Running Jobs: ${nameList(event.running, event.running.length, event.count)}`);
      case "waiting":
        return this.#waiting(event.slots);
      case "ended":
        return this.#ended(event);
      case "adopted":
        return lines.info(`Job ${event.job} still runs on ${event.machine}.`);
      case "found":
        return lines.info(`Job ${event.job} of an earlier run on ${event.machine}: ${event.state}`);
      case "unknown":
        return lines.warning(
          `Not known until ${event.machine} answers: ${nameList(event.jobs)}. They count as running, ` +
            `and as crashed after ${durationText(event.timeoutMs / 1000)} of silence.`,
        );
      case "elsewhere":
        return lines.warning(
          `Not known until ${event.machine} leads to ${event.host} again, or their logs say that they ended: ` +
            `${nameList(event.jobs)}. They count as running.`,
        );
      case "skipped":
        return lines.info(`Skipping job: ${event.job}, ${event.reason}.`);
      case "directory_present":
        lines.warning(
          `Job directory ${this.#options.queue.experiment}/${event.job} already present on host ${event.machine}.`,
        );
        return lines.warning("Use `cms queue reset` prior to re-running jobs to ensure dir is deleted.");
      case "beside": {
        const { experiment } = this.#options.queue;
        return lines.info(
          `Job ${event.job} has the directory ${experiment}/${event.directory} on ${event.machine}: ` +
            `${experiment}/${event.job} there belongs to another queue.`,
        );
      }
      case "same_machine":
        return lines.warning(
          `${event.machine} is the machine that ${event.as} leads to: its jobs start as ${event.as}.`,
        );
      case "machine_again":
        return;
      case "machine_up":
        if (event.again) lines.info(`Host ${event.machine} responds again.`);
        return;
      case "machine_down": {
        const { machine } = event;
        if (isNodeName(machine)) return lines.info(`No link to ${machine}: ${event.reason}`);
        lines.warning(`Host ${machine} not responding to probe check. Not assigning jobs to ${machine}`);
        return lines.warning(`${machine}: ${event.reason}`);
      }
      case "all_down":
        this.#areOff = event.isOff;
        return lines.warning(
          event.isOff
            ? `No host takes jobs: none is active with a slot. Waiting ${durationText(event.timeoutMs / 1000)} for one.`
            : `No host responds. Trying again for ${durationText(event.timeoutMs / 1000)}.`,
        );
      case "stopping":
        return lines.warning(
          `Stopping after ${event.signal}: no new jobs are started, still running: ${event.running}. ` +
            "Press Ctrl-C again to leave at once; the jobs go on.",
        );
      case "halt": {
        const { halt: { text, when, why }, count, running } = event;
        const what = why === "fail" ? "failed" : why === "success" ? "ended well" : "are over";
        const rest = when === "now" ? "what runs is killed" : "what runs is waited for";
        return lines.warning(
          `Halting (${text}), as ${count} jobs ${what}: no new jobs are started, ${rest}: ${running}.`,
        );
      }
      case "retry":
        return lines.info(
          `Job ${event.job} on ${event.machine}: ${event.why}; ${event.next} in ${renderWait(event.inMs)}`,
        );
      case "pause": {
        const reason = event.reason === null ? "" : `: ${event.reason}`;
        return lines.info(event.isPaused ? `The queue is paused${reason}. No job starts.` : "The queue is resumed.");
      }
      case "allocation": {
        const { entry, what, text } = event;
        if (what === "refused") return lines.warning(`Slurm gives ${entry} no allocation: ${text}`);
        const words = {
          asked: "asked for",
          started: "allocation started:",
          closing: "allocation takes no more jobs:",
          ended: "allocation ended:",
        } as const;
        return lines.info(`Slurm, ${entry}: ${words[what]} ${text}`);
      }
      case "progress":
        return;
      case "warning":
        return lines.warning(event.text);
      default:
        event satisfies never;
    }
  }

  result(result: RunResult): void {
    const lines = this.#lines;
    if (result.idle !== null && result.outcome === "done") lines.info(nothingToRun(this.#options.queue, result.idle));
    lines.info(`Ran Jobs: ${nameList(result.ran)}`);
    lines.info(`Completed Jobs: ${nameList(result.completed)}`);
    const own = result.failed.filter(({ isDependent }) => isDependent !== true);
    const dependents = result.failed.filter(({ isDependent }) => isDependent === true).map(({ job }) => job);
    for (const { job, state, exitCode, reason, machine } of own.slice(0, FAILED_LIMIT)) {
      const what = reason ?? (state === "end" ? codeText(job, exitCode) : state);
      const code = state !== "end" && reason === undefined && exitCode !== null ? `, exit code ${exitCode}` : "";
      lines.warning(`Job ${job} did not end well: ${what}${code} on ${machine}`);
    }
    const more = own.length - FAILED_LIMIT;
    if (more > 0) lines.warning(`and ${more} more`);
    if (dependents.length > 0) {
      lines.warning(`Never started, because of jobs that they come after: ${counted(dependents)}`);
    }
    if (result.skipped.length > 0) lines.warning(`Skipped, and still waiting: ${nameList(result.skipped)}`);
    if (result.left.length > 0) {
      const kept = result.left.slice(0, FAILED_LIMIT).map(({ reason, jobs }) => `${counted(jobs)} ${reason}`);
      const others = result.left.length > FAILED_LIMIT ? ", and others" : "";
      lines.warning(`Left waiting: ${kept.join(", ")}${others}`);
    }
    if (result.outcome === "stopped") {
      lines.warning(
        `Stopped. Still running: ${result.running.length}, waiting: ${result.waiting}. To go on: ${this.#options.again}`,
      );
    } else if (result.outcome === "halted") {
      lines.warning(`Halted. Waiting: ${result.waiting}. To go on: ${this.#options.again}`);
    } else if (result.outcome === "no_hosts") {
      const what = this.#areOff ? "No host took jobs" : "No host responded";
      lines.warning(`${what} in time. Waiting: ${result.waiting}. To try again: ${this.#options.again}`);
    }
  }

  /** Told at most once a second, however often slots fill up. */
  #waiting(slots: number): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#lastWaitingMs < WAITING_EVERY_MS) return;
    this.#lastWaitingMs = nowMs;
    const full = this.#options.scheduler === "fifo" ? `At max_parallel jobs=${slots}.` : "All hosts running max jobs.";
    this.#lines.info(`Waiting. ${full}`);
  }

  #ended(event: RunEvent & { type: "ended" }): void {
    const lines = this.#lines;
    switch (event.state) {
      case "end":
        return; // A job that ends has no line of its own; those with another exit code than 0 are named at the end.
      case "kill":
        return lines.info(
          `Job ${event.job} was killed on ${event.machine}${event.reason === null ? "" : ` (${event.reason})`}.`,
        );
      case "crash":
        lines.warning(`Job ${event.job} status:CRASH`);
        break;
      case "fail_start":
        // On no machine: because of a job that it comes after.
        if (event.machine === "") return lines.warning(`Job ${event.job} is not started: ${event.reason}`);
        lines.warning(`Job ${event.job} failed to start.`);
        break;
      default:
        event.state satisfies never;
    }
    if (event.reason !== null) lines.warning(`${event.job} on ${event.machine}: ${event.reason}`);
  }
}

/** Why a run had nothing to do, and what would give it something. */
function nothingToRun(queue: StoreRef, idle: Readonly<Partial<Record<JobState, number>>>): string {
  const states = Object.entries(idle);
  const [first] = states;
  if (first === undefined) {
    return `Nothing to run: the queue is empty. To add a job: ${
      queueCommand(queue, "add", "--name=job1", "--command=hostname")
    }`;
  }
  const counts = states.map(([state, count]) => `${count} in ${state}`).join(", ");
  const again = queueCommand(queue, "reset", `--status=${states.length === 1 ? first[0] : "STATE"}`);
  return `Nothing to run: no job waits (${counts}). To run jobs again: ${again}, then run the queue`;
}

/** How many jobs, and which. */
function counted(jobs: readonly string[]): string {
  return `${jobs.length} (${nameList(jobs, FAILED_LIMIT)})`;
}

function codeText(job: string, exitCode: number | null): string {
  const pyenv = exitCode === PYENV_EXIT_CODE ? `, its pyenv could not be sourced (see ${job}-nohup.log)` : "";
  return `exit code ${exitCode ?? "unknown"}${pyenv}`;
}
