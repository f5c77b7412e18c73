/**
 * How a job ended, in the words that people read: well or not, and why. Pure.
 *
 * @module
 */

import type { Job } from "./job.ts";

/** True if the job is over and did not end well: any state but `end`, or an exit code other than 0. */
export function isFailed(job: Pick<Job, "status" | "exit_code">): boolean {
  if (job.status === "end") return job.exit_code !== 0;
  return job.status === "kill" || job.status === "fail_start" || job.status === "crash";
}

/**
 * Why a job that is over ended as it did, such as `exit code 3`, `signal 9`, `killed`; its own reason where it has one.
 */
export function endReason(job: Pick<Job, "status" | "exit_code" | "reason">): string {
  if (job.reason !== undefined && job.reason !== null) return job.reason;
  if (job.status === "end") return job.exit_code === null ? "exit code unknown" : `exit code ${job.exit_code}`;
  if (job.status === "crash" && job.exit_code !== null && job.exit_code > 128 && job.exit_code <= 192) {
    return `signal ${job.exit_code - 128}`;
  }
  return job.status === "kill" ? "killed" : job.status === "fail_start" ? "failed to start" : "crashed";
}

/** The reason of a job that its time limit ended. */
export function timeLimitReason(limit: string): string {
  return `time limit ${limit}`;
}

/** True if {@link timeLimitReason} made it. */
export function isTimeLimit(reason: string | null | undefined): reason is string {
  return reason?.startsWith("time limit ") === true;
}
