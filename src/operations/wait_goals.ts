/**
 * What `queue wait` waits for, and how far it is.
 *
 * @module
 */

/** Where jobs are waited for. */
export const WAIT_GOALS = ["over", "started", "ended-well"] as const;
/** One of {@link WAIT_GOALS}. */
export type WaitGoal = typeof WAIT_GOALS[number];

/** Where the jobs are. */
export interface WaitNumbers {
  /** Jobs that are there. */
  readonly there: number;
  /** Of all jobs that are over: those that did not end well. */
  readonly failed: number;
  /** Jobs that are not there yet. */
  readonly pending: number;
}
