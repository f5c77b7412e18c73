/**
 * The queue file after a change that stands in the journal already.
 *
 * @module
 */

import { StoreError } from "../errors.ts";

/**
 * Folds. A disk so full that the file cannot be written undoes no change: the journal is complete, and the next command folds it. So that is
 * a warning.
 */
export async function writeFile(fold: () => Promise<unknown>, watch: { warn(text: string): void }): Promise<void> {
  try {
    await fold();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    watch.warn(`The queue file could not be written, its journal is complete: ${error.message}`);
  }
}
