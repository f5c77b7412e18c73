/**
 * Places in a journal, and what comes after them.
 *
 * @module
 */

/** How far a journal was known. */
export interface JournalMark {
  readonly inode: number | undefined;
  readonly bytes: number;
  readonly records: number;
}

/** What was appended to a journal after some place, to be carried over into the next one. */
export interface CarriedRecords {
  readonly bytes: Uint8Array;
  readonly records: number;
}

/** Nothing was appended meanwhile. */
export const NOTHING_CARRIED: CarriedRecords = { bytes: new Uint8Array(), records: 0 };

/** Where a line begins, which counts from 1. */
export function startOfLine(bytes: Uint8Array, line: number): number {
  let start = 0;
  for (let i = 1; i < line; i++) start = bytes.indexOf(10, start) + 1;
  return start;
}
