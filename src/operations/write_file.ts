/**
 * The queue file after a change that stands in the journal already.
 *
 * @module
 */

import { StoreError } from "../errors.ts";

/**
 * Makes a checkpoint. A disk so full that the file cannot be written undoes no change: the journal is complete, and the
 * next command writes it. So that is a warning.
 */
export async function writeFile(
  checkpoint: () => Promise<unknown>,
  watch: { warn(text: string): void },
): Promise<void> {
  try {
    await checkpoint();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    watch.warn(`The queue file could not be written, its journal is complete: ${error.message}`);
  }
}
