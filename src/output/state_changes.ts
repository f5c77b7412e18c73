/**
 * The lines of `reset` and `refresh`: which jobs changed their state.
 *
 * @module
 */

/** A line for each change and a blank one after the last, or that there was none. Ends with a line end. */
export function stateChangeLines(
  changes: readonly { readonly job: string; readonly old: string; readonly new: string }[],
): string {
  if (changes.length === 0) return "No job status changes.\n";
  return changes.map((change) => `${change.job} \t old_status:${change.old} \t new_state:${change.new}\n`).join("") +
    "\n";
}
