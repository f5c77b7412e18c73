/**
 * What a host's word about an attempt means for the job's record, when no scheduler runs: for `refresh` and `kill`.
 *
 * @module
 */

import { someNames } from "../names/some_names.ts";
import { isTimeLimit, timeLimitReason } from "../job/outcome.ts";
import { isoSeconds, type Job, type JobFields } from "../job/job.ts";
import { nextTry } from "../job/retry.ts";
import { mayMove, waitingState } from "../job/states.ts";
import { hostOfMachine, isElsewhere, machineOfBoot } from "../agent/boot.ts";
import { machineText } from "../cluster/machine.ts";
import type { AttemptState, Link } from "../link/link.ts";

/**
 * True for a start that was decided, but never reached the host since it was booted (`boot` is its present one), or
 * whose claim is not finished after seconds of asking: it is to be called off for good. One that was seen to run is
 * not.
 */
export function isUnstarted(job: Job, { type }: AttemptState, boot: string | null): boolean {
  return job.status === "run" && (type === "claimed" || (type === "none" && job.boot === boot));
}

/**
 * The host that alone can say what became of the job's attempt, where that is not the one which was asked (`boot` is
 * that one's): the name leads to another machine now. null: what was said counts.
 */
export function livesElsewhere(job: Pick<Job, "boot">, state: AttemptState, boot: string): string | null {
  if (state.type === "away") return hostOfMachine(state.machine);
  // That one may have its files to itself: what it has no trace of proves nothing.
  const isBlind = state.type === "none" || state.type === "claimed" || state.type === "other";
  return isBlind && isElsewhere(job.boot, boot) ? hostOfMachine(machineOfBoot(job.boot!)!) : null;
}

/** What a person is told of it. */
function elsewhereText(jobs: readonly { readonly name: string }[], machine: string, host: string): string {
  return `Not known: ${someNames(jobs.map(({ name }) => name))}, on ${host}, to which ${machine} does not lead now. ` +
    `Left as they are; try again when it does, or on ${host} itself`;
}

/** The fields to set, or null if the record is right as it is. */
export function fieldsFrom(job: Job, state: AttemptState): JobFields | null {
  const fields = fieldsOf(job, state);
  if (fields === null || fields.status === undefined || fields.status === job.status) return null;
  return mayMove(job.status, fields.status) ? fields : null;
}

function fieldsOf(job: Job, state: AttemptState): JobFields | null {
  const over = { boot: null, slot: null };
  const directory = "directory" in state ? state.directory : undefined;
  const beside = directory === undefined ? {} : { job_directory: directory };
  const iso = (ms: number | null): string | null => ms === null ? null : isoSeconds(ms);
  switch (state.type) {
    case "alive":
      return { status: "start", pid: String(state.pid), started: iso(state.startedAtMs), ...beside };
    case "ended":
      return {
        status: state.state,
        exit_code: state.exitCode,
        started: iso(state.startedAtMs) ?? job.started,
        ended: iso(state.endedAtMs),
        ...(state.limit === undefined ? {} : { reason: timeLimitReason(state.limit) }),
        ...over,
        ...beside,
      };
    case "forbidden":
      // A host that contradicts itself: what was said to run is never started again unasked.
      return { status: job.status === "start" ? "crash" : waitingState(job), ...over };
    case "crashed":
      return { status: "crash", exit_code: state.exitCode, ...over, ...beside };
    case "none":
    case "other":
      return { status: "crash", ...over };
    case "claimed":
    case "away":
      return null;
    default:
      state satisfies never;
      return null;
  }
}

/**
 * What lets the job wait for its next try after such an end, as a run would; null if it has none left.
 * @param fields Those of {@link fieldsFrom}. @param wallMs The time by the wall clock.
 */
export function nextTryFrom(job: Job, fields: JobFields, state: AttemptState, wallMs: number): JobFields | null {
  const { status, exit_code: exitCode = null, started = null, ended = null, reason = null } = fields;
  const cause = status === "kill" ? isTimeLimit(reason) ? "time_limit" : "killed" : status === "end" ? "exit" : "crash";
  if (status !== "crash" && status !== "kill" && (status !== "end" || exitCode === 0)) return null;
  const why = reason ?? (status === "crash" ? CRASH_REASONS[state.type] ?? null : null);
  const next = nextTry(job, { cause, exitCode, reason: why, started, ended }, wallMs);
  return next === null ? null : { status: waitingState(job), ...next };
}

/** In the words of a run. */
const CRASH_REASONS: Readonly<Partial<Record<AttemptState["type"], string>>> = {
  crashed: "its process is gone",
  none: "the host has no trace of it",
};

/** The jobs that live on another machine than the link leads to; a warning names each of these machines. */
export function findElsewhere(
  link: Link,
  jobs: readonly Job[],
  states: readonly AttemptState[],
  warn: (text: string) => void,
): ReadonlySet<Job> {
  const found = Map.groupBy(jobs, (job, i) => livesElsewhere(job, states[i]!, link.boot));
  found.delete(null);
  for (const [host, away] of found) warn(elsewhereText(away, machineText(link.machine), host!));
  return new Set([...found.values()].flat());
}
