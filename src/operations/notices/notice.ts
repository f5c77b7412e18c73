/**
 * What a run says of its jobs and of its end to commands and web addresses: as variables, and as JSON. Pure.
 *
 * @module
 */

import { InvalidError } from "../../errors.ts";
import type { Job } from "../../job/job.ts";
import { endReason, isFailed } from "../../job/outcome.ts";
import { tryNumber } from "../../job/retry.ts";
import { shortened } from "../../names/some_names.ts";
import type { RunEvent, RunResult } from "../../scheduler/report.ts";
import type { StoreRef } from "../../store/store.ts";

/** Who is to be told of what. Commands are for the manager's shell. */
export interface NoticeWishes {
  /** For each job that is over. */
  readonly onEnd?: string | undefined;
  /** For each that did not end well. */
  readonly onFail?: string | undefined;
  /** For the end of the run. */
  readonly onDone?: string | undefined;
  /** Gets all of it. */
  readonly webhook?: string | undefined;
}

/** One thing to tell. */
export interface Notice {
  /** For warnings: `job x`, `the end of the run`. */
  readonly about: string;
  readonly isFailure: boolean;
  readonly variables: Readonly<Record<string, string>>;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Of a job that is over. `job`: its record; undefined if it is deleted already. */
export function jobNotice(queue: StoreRef, event: RunEvent & { type: "ended" }, job: Job | undefined): Notice {
  const { state, exitCode, machine, slot } = event;
  const isOver = { status: state, exit_code: exitCode };
  const reason = endReason({ ...isOver, reason: event.reason });
  const host = event.host ?? machine.slice(machine.lastIndexOf("@") + 1);
  const tried = tryNumber(job ?? {});
  const { params = {}, index = null, devices = null } = job ?? {};
  const said = Object.fromEntries(Object.entries(params ?? {}).map(([name, value]) => [`CMS_PARAM_${name}`, value]));
  return {
    about: `job ${event.job}`,
    isFailure: isFailed(isOver),
    variables: {
      ...said,
      CMS_QUEUE: queue.name,
      CMS_JOB: event.job,
      CMS_ATTEMPT: String(job?.attempt ?? ""),
      CMS_TRY: String(tried),
      CMS_HOST: host,
      ...(typeof slot === "number" ? { CMS_SLOT: String(slot) } : {}),
      ...(index === null ? {} : { CMS_INDEX: String(index) }),
      ...(devices === null ? {} : { CMS_GPUS: devices.join(",") }),
      CMS_STATE: state,
      CMS_EXIT_CODE: exitCode === null ? "" : String(exitCode),
      CMS_REASON: reason,
    },
    json: {
      event: "job",
      queue: queue.name,
      experiment: queue.experiment,
      job: event.job,
      attempt: job?.attempt ?? null,
      try: tried,
      host,
      machine,
      slot: slot ?? null,
      index,
      gpus: devices ?? [],
      state,
      exit_code: exitCode,
      reason,
      started: job?.started ?? null,
      ended: job?.ended ?? null,
      params: params ?? {},
      tags: job?.tags ?? {},
    },
  };
}

/** Of the end of a run. */
export function runNotice(queue: StoreRef, result: RunResult, exitCode: number): Notice {
  const { outcome, ran, failed, waiting, running } = result;
  const never = failed.filter(({ isDependent }) => isDependent === true).length;
  const counts = {
    ran: ran.length,
    failed: failed.length - never,
    running: running.length,
    waiting,
    // Because of jobs that they come after.
    ...(never > 0 ? { never_started: never } : {}),
  };
  const reason = Object.entries(counts).map(([what, count]) => `${count} ${what.replace("_", " ")}`).join(", ");
  return {
    about: "the end of the run",
    isFailure: exitCode !== 0,
    variables: {
      CMS_QUEUE: queue.name,
      CMS_STATE: outcome,
      CMS_EXIT_CODE: String(exitCode),
      CMS_REASON: reason,
    },
    json: {
      event: "run",
      queue: queue.name,
      experiment: queue.experiment,
      state: outcome,
      exit_code: exitCode,
      reason,
      ...counts,
    },
  };
}

/** Checks the address of a webhook. @throws {InvalidError} If nothing can be posted there. */
export function webhookUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return text;
  throw new InvalidError([`Cannot use ${JSON.stringify(shortened(text))} as a webhook: give an http or https address`]);
}

/** The options of a command that ask for them. */
export function noticeWords({ onEnd, onFail, onDone, webhook }: NoticeWishes): string[] {
  const all = { "on-end": onEnd, "on-fail": onFail, "on-done": onDone, webhook };
  return Object.entries(all).flatMap(([name, value]) => value === undefined ? [] : [`--${name}=${value}`]);
}
