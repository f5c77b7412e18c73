/**
 * Some records of a long journal, without a look at the others.
 *
 * @module
 */

import { StoreError } from "../../errors.ts";
import type { JobName } from "../../names/grammar.ts";
import { searchFor } from "../large/find_entry.ts";
import {
  type Damage,
  type JournalHeader,
  type JournalRecord,
  parseLine,
  type PartOptions,
  readHeader,
  readRecord,
} from "./journal.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NEWLINE = 10;
/** Names that each get a search of their own. */
const MOST_SEARCHES = 4;
/** How the lines begin that are nearly all; then come the name and a quotation mark. */
const SET = `{"type":"set","job":"`;

/** A line by where it begins, and what it holds. */
type Lines = Map<number, Record<string, unknown> | null>;

/**
 * The records that name one of these jobs, and the header. Of many jobs also all records that are no `set`. This is
 * much faster than `parseJournal`. null if the end may be torn.
 * @throws {StoreError} For damage in the lines that are looked at.
 */
export function parseJournalOf(
  bytes: Uint8Array,
  names: readonly JobName[],
  options: Omit<PartOptions, "lines">,
): { header: JournalHeader; records: readonly JournalRecord[] } | null {
  const damage: Damage = (reason) => new StoreError(options.shown, 0, reason);
  if (bytes.at(-1) !== NEWLINE) return null;
  const first = lineAt(bytes, 0).value;
  const last = lineAt(bytes, bytes.length - 2).value;
  if (first === null || last === null || last.more === 1) return null;
  const header = readHeader(first, damage);
  const lines = names.length > MOST_SEARCHES ? linesOf(bytes, new Set(names)) : linesWith(bytes, names);
  const records = [...lines].sort(([a], [b]) => a - b).map(([, value]) => {
    if (value === null) throw damage("is damaged: a line is not a record");
    return readRecord(value, options.experiment, damage);
  });
  return { header, records };
}

function lineAt(bytes: Uint8Array, at: number): { start: number; value: Record<string, unknown> | null } {
  const start = bytes.lastIndexOf(NEWLINE, at) + 1;
  return { start, value: parseLine(bytes.subarray(start, bytes.indexOf(NEWLINE, at))) };
}

/** The lines in which a name stands: a search for each. */
function linesWith(bytes: Uint8Array, names: readonly JobName[]): Lines {
  const lines: Lines = new Map();
  for (const name of names) {
    const search = searchFor(encoder.encode(JSON.stringify(name)));
    for (let at = search(bytes); at >= 0; at = search(bytes, at + 1)) {
      const { start, value } = lineAt(bytes, at);
      if (start > 0) lines.set(start, value);
    }
  }
  return lines;
}

/** All lines but the first, and those of a `set` of another job. */
function linesOf(bytes: Uint8Array, names: ReadonlySet<string>): Lines {
  const lines: Lines = new Map();
  const text = decoder.decode(bytes);
  for (let start = text.indexOf("\n") + 1; start < text.length;) {
    const end = text.indexOf("\n", start);
    const from = start + SET.length;
    if (!text.startsWith(SET, start) || names.has(text.slice(from, text.indexOf('"', from)))) {
      lines.set(start, parseLine(encoder.encode(text.slice(start, end))));
    }
    start = end + 1;
  }
  return lines;
}
