/**
 * A long journal, read in pieces with rests between them.
 *
 * @module
 */

import type { Rests } from "../rests.ts";
import { type JournalPart, type JournalRecord, parseJournal, type PartOptions } from "./journal.ts";

const PIECE_BYTES = 64 * 1024;
const NEWLINE = 10;

/** The same as `parseJournal` gives, of a journal from its first line. @throws {StoreError} As `parseJournal`. */
export async function parseInPieces(
  bytes: Uint8Array,
  options: Omit<PartOptions, "lines">,
  rests: Rests,
): Promise<JournalPart> {
  const records: JournalRecord[] = [];
  let [header, goodBytes, goodLines]: [JournalPart["header"], number, number] = [null, 0, 0];
  let size = PIECE_BYTES;
  for (let end = 0; end < bytes.length;) {
    end = endOfLine(bytes, goodBytes + size);
    const part = parseJournal(bytes.subarray(goodBytes, end), { ...options, lines: goodLines });
    header ??= part.header;
    for (const record of part.records) records.push(record);
    goodBytes += part.goodBytes;
    goodLines += part.goodLines;
    // A commit may be longer than a piece.
    size = part.goodBytes === 0 ? 2 * size : PIECE_BYTES;
    await rests.take();
  }
  return { header, records, goodBytes, goodLines };
}

function endOfLine(bytes: Uint8Array, from: number): number {
  const end = from < bytes.length ? bytes.indexOf(NEWLINE, from) : -1;
  return end < 0 ? bytes.length : end + 1;
}
