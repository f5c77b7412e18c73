/**
 * Does a job's record agree with what its host says? For `check`; pure. What `refresh` would make of the host's word is
 * in `truth.ts`.
 *
 * @module
 */

import { attemptOf, isAttemptOf } from "../job/attempt.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import type { AttemptState, Mark } from "../link/link.ts";
import { someNames } from "../names/some_names.ts";
import type { StoreRef } from "../store/store.ts";
import { livesElsewhere } from "./truth.ts";
import { type Finding, queueCommand } from "./finding.ts";

/** What is known beside the job and the host's word. */
export interface Surroundings {
  readonly queue: StoreRef;
  /** The machine as `user@name`. */
  readonly machine: string;
  /** Its present boot. */
  readonly boot: string;
  /** True while a scheduler runs the queue: it follows what is in flight, and changes it at any time. */
  readonly isRun: boolean;
}

/** What disagrees, or null. `state`: the host's word on the job's last attempt. */
export function disagreement(job: Job, state: AttemptState, about: Surroundings): Finding | null {
  const elsewhere = livesElsewhere(job, state, about.boot);
  const found = elsewhere !== null
    ? ofElsewhere(job, elsewhere, about)
    : isInFlight(job.status)
    ? ofFlight(job, state, about)
    : isWaiting(job.status)
    ? ofWaiting(job, state, about)
    : ofEnded(job, state, about);
  return found === null ? null : { kind: "trouble", job: job.name, where: about.machine, ...found };
}

/**
 * What the job has left running on its machine, or null. A note where the job is over; where it waits or runs again,
 * that runs beside it unseen. `marks`: processes there that carry a mark of the job.
 */
export function leftRunning(
  job: Job,
  { state, marks }: { readonly state: AttemptState; readonly marks: readonly Mark[] },
  about: Surroundings,
): Finding | null {
  // What an attempt alive runs is its own.
  const live = state.type === "alive" || state.type === "claimed"
    ? attemptOf(job).attempt
    : state.type === "other" && state.alive
    ? state.attempt
    : null;
  const left = marks.filter(({ attempt }) => attempt !== live);
  if (left.length === 0) return null;
  const pids = left.map(({ pid }) => String(pid));
  return {
    kind: isWaiting(job.status) || isInFlight(job.status) ? "trouble" : "note",
    job: job.name,
    where: about.machine,
    finding: `has left ${pids.length === 1 ? "process" : "processes"} ${someNames(pids)} running`,
    action: `${resetOf(job, about)} ends ${pids.length === 1 ? "it" : "them"}`,
  };
}

type Found = Pick<Finding, "finding" | "action"> & { readonly kind?: "note" };

/** Nobody here can say: it is neither gone nor wrong. */
function ofElsewhere({ status }: Job, host: string, { queue, machine }: Surroundings): Found {
  const here = /(^|@)localhost$/.test(machine) ? "this machine" : `where ${machine} leads to now`;
  return {
    finding: `is ${status}, on ${host} for all that is known, and that is not ${here}`,
    action: `${queueCommand(queue, "check")} on ${host}, or when the name leads there again`,
  };
}

function ofFlight(job: Job, state: AttemptState, about: Surroundings): Found | null {
  const { status } = job;
  const refresh = queueCommand(about.queue, "refresh");
  const settle = about.isRun ? "nothing: the run takes it in when its link to the host is back" : refresh;
  switch (state.type) {
    case "alive":
    case "away":
      return null;
    case "claimed":
      if (about.isRun) return null;
      return { finding: `is ${status}, and its start there has not come to an end; look again`, action: refresh };
    case "ended":
    case "crashed":
      return { finding: `is ${status}, but ${past(state)} there`, action: settle };
    case "forbidden":
      return { finding: `is ${status}, but was not started there and never will be`, action: settle };
    case "none":
      // Its start may be on the way, behind its input files.
      if (about.isRun && status === "run") return null;
      if (status === "run" && job.boot === about.boot) {
        return { finding: "is run, but its start never got there", action: `${refresh} lets it wait again` };
      }
      return {
        finding: `is ${status}, but there is no trace of it: the host was started anew, or its directory was removed`,
        action: `${refresh} makes it crash; to run it again: ${resetOf(job, about)}`,
      };
    case "other":
      return {
        finding: `is ${status}, but another attempt (${state.attempt}) ${
          state.alive ? "runs" : "was"
        } in its directory`,
        action: `${refresh} makes it crash${state.alive ? "; the other one is none of this queue's" : ""}`,
      };
    default:
      state satisfies never;
      return null;
  }
}

function ofWaiting(job: Job, state: AttemptState, about: Surroundings): Found | null {
  const { status } = job;
  switch (state.type) {
    case "alive":
      return { finding: `is ${status}, but its last attempt runs there`, action: `${resetOf(job, about)} ends it` };
    case "ended":
    case "crashed":
      // They stay for whoever looks at an earlier try; a reset would take that away, and all tries anew.
      if (job.history?.at(-1)?.attempt === job.attempt) return null;
      return {
        kind: "note",
        finding: `is ${status}, with the files of its last attempt still there`,
        action: `${resetOf(job, about)} removes them`,
      };
    case "other":
      if (state.alive) {
        return {
          finding: `is ${status}, but another attempt (${state.attempt}) runs in its directory`,
          action: "wait for its end, or end it on the host: until then each start is refused",
        };
      }
      if (!isAttemptOf(state.attempt, job.id)) return null;
      return {
        finding: `is ${status}, but a later attempt (${state.attempt}) was there: these files are older than what ran`,
        action: "see Back-up in docs/operations.md",
      };
    case "none":
    case "claimed":
    case "forbidden":
    case "away":
      return null;
    default:
      state satisfies never;
      return null;
  }
}

function ofEnded(job: Job, state: AttemptState, about: Surroundings): Found | null {
  const { status } = job;
  // A job that was given up, and of which `refresh` learns more.
  const isGivenUp = status === "crash" && job.exit_code === null;
  const settle = isGivenUp ? queueCommand(about.queue, "refresh") : `${resetOf(job, about)} to run it again`;
  switch (state.type) {
    case "alive":
      return {
        finding: `is ${status}, but runs there`,
        action: isGivenUp ? `${settle} takes it back` : `${resetOf(job, about)} ends it`,
      };
    case "other":
      if (!state.alive) return null;
      return {
        finding: `is ${status}, but another attempt (${state.attempt}) runs in its directory`,
        action: "wait for its end, or end it on the host",
      };
    case "ended":
    case "crashed":
      if (status === (state.type === "ended" ? state.state : "crash")) return null;
      return { finding: `is ${status}, but ${past(state)} there`, action: settle };
    case "none":
    case "claimed":
    case "forbidden":
    case "away":
      return null;
    default:
      state satisfies never;
      return null;
  }
}

function past(state: AttemptState & { type: "ended" | "crashed" }): string {
  const code = state.exitCode === null ? "" : ` with exit code ${state.exitCode}`;
  if (state.type === "crashed") return `its process vanished${code}`;
  return state.state === "kill" ? "was killed" : `ended${code}`;
}

function resetOf(job: Job, { queue }: Surroundings): string {
  return queueCommand(queue, "reset", `--name=${job.name}`);
}
