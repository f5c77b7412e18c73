/**
 * When writing the YAML anew is cheap in proportion to what has been written to the journal, and when a large one is
 * known without reading it.
 *
 * @module
 */

import type { FileStamp } from "../../deps.ts";
import { VERSION } from "../../version.ts";
import type { JournalHeader } from "../journal/journal.ts";
import { sameStamp } from "../lock.ts";

/** Below this a file is read and written faster than it is worth to avoid it. */
export const SMALL_YAML_BYTES = 256 * 1024;

/**
 * True if the YAML is small, or the journal has grown to a quarter of it: the cost of one change does not grow with the
 * queue.
 */
export function isCheckpointDue({ yamlBytes, journalBytes }: { yamlBytes: number; journalBytes: number }): boolean {
  return yamlBytes < SMALL_YAML_BYTES || journalBytes * 4 > yamlBytes;
}

/** True if the YAML with this stamp is the one that this version of the program wrote for the journal. */
export function isAsWritten(header: JournalHeader | null, stamp: FileStamp | null): boolean {
  return header?.written?.by === VERSION && sameStamp(stamp, header.written);
}
