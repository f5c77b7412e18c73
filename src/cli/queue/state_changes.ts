/**
 * The lines of `reset` and `refresh`: which jobs changed their state.
 *
 * @module
 */

import type { Lines } from "../output/lines.ts";

/** Prints a line for each change and a blank one after the last, or that there was none. */
export function printChanges(
  lines: Lines,
  changes: readonly { readonly job: string; readonly old: string; readonly new: string }[],
): void {
  if (changes.length === 0) return lines.plain("No job status changes.");
  for (const change of changes) lines.plain(`${change.job} \t old_status:${change.old} \t new_state:${change.new}`);
  lines.plain("");
}
