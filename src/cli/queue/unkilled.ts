/**
 * What `kill` and `stop` show of jobs that they could not end.
 *
 * @module
 */

import type { Context } from "../context.ts";

/** Warns of each; sets the exit status 1 if there is one. */
export function warnOfUnkilled(context: Context, failed: readonly string[]): void {
  for (const job of failed) context.lines.warning(`Could not kill job:${job}, it may still run`);
  if (failed.length > 0) context.status = 1;
}
