/**
 * The eight states of a job and the moves between them: the only place that knows them.
 *
 * @module
 */

/** A job's state, as it stands in the queue file. */
export const JOB_STATES = [
  "undefined",
  "ready",
  "run",
  "start",
  "end",
  "kill",
  "fail_start",
  "crash",
] as const;

/** One of {@link JOB_STATES}. */
export type JobState = typeof JOB_STATES[number];

/**
 * Allowed moves of the program (a person's edit of the file may set any state of a job that is not in flight).
 *
 * - to `fail_start` before anything is sent: its machine does not answer (`fifo`), or what it comes after
 *   ended otherwise than it must.
 * - `run` back to `undefined` or `ready`: only when the host has said that the attempt was never started and never will
 *   be.
 * - out of `crash` to `start`, `end`, `kill`: a host that was given up came back, and a run, or `refresh`, found
 *   what really happened.
 */
const MOVES: Readonly<Record<JobState, readonly JobState[]>> = {
  undefined: ["ready", "run", "fail_start"],
  ready: ["undefined", "run", "fail_start"],
  run: ["start", "end", "kill", "crash", "fail_start", "undefined", "ready"],
  start: ["end", "kill", "crash"],
  end: ["undefined", "ready"],
  kill: ["undefined", "ready"],
  fail_start: ["undefined", "ready"],
  crash: ["undefined", "ready", "start", "end", "kill"],
};

/** True if `text` names a state. */
export function isJobState(text: string): text is JobState {
  return (JOB_STATES as readonly string[]).includes(text);
}

/** True if the program may move a job from one state to the other. */
export function mayMove(from: JobState, to: JobState): boolean {
  return MOVES[from].includes(to);
}

/** True while a process of the job may be alive on a host: its start was decided and no end is known. */
export function isInFlight(state: JobState): boolean {
  return state === "run" || state === "start";
}

/** True if a scheduler may start the job. `fifo` takes only `ready`; `fifo_multi` takes `undefined` as well. */
export function isWaiting(state: JobState): boolean {
  return state === "undefined" || state === "ready";
}

/** The state of a job that waits: `ready` if it has a user and a host, else `undefined`. */
export function waitingState(job: { user: string | null; host: string | null }): JobState {
  return job.user !== null && job.user !== "" && job.host !== null && job.host !== "" ? "ready" : "undefined";
}
