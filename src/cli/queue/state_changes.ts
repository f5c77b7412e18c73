/**
 * Prints what `reset` and `refresh` changed.
 *
 * @module
 */

import { stateChangeLines } from "../../output/state_changes.ts";
import type { Lines } from "../output/lines.ts";

/** Prints a line for each change and a blank one after the last, or that there was none. */
export function printChanges(lines: Lines, changes: Parameters<typeof stateChangeLines>[0]): void {
  lines.plain(stateChangeLines(changes).slice(0, -1));
}
