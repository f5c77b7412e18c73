/**
 * YAML text to maps and back: what stands in queue and cluster files. Types of fields are the business of `job_record.ts` and
 * `host_record.ts`; here a scalar is null, true, false, an integer, or text.
 *
 * Reading takes only these for what they are: `null`, `~` and nothing; `true`, `false`; integers as a program writes them
 * (`-?(0|[1-9][0-9]*)`, safe in a double). All else stays the text it is: `007`, `1e3`, `1.10`, `12:30`, `yes`. Writing quotes
 * every text that some reader of YAML 1.1 or 1.2 would take for another type. Maps are `Map`s: the order of a JavaScript object
 * would put a job named `2` before one named `a`.
 *
 * @module
 */

import {
  boolJsonTag,
  defineScalarTag,
  dump,
  DUMP_SCHEMA,
  FAILSAFE_SCHEMA,
  load,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
  realMapTag,
  YAMLException,
} from "js-yaml";
import { StoreError } from "../errors.ts";

const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;
const integerTag = defineScalarTag("tag:yaml.org,2002:int", {
  implicit: true,
  implicitFirstChars: [..."-0123456789"],
  resolve(text) {
    const value = Number(text);
    return INTEGER.test(text) && Number.isSafeInteger(value) && String(value) === text ? value : NOT_RESOLVED;
  },
  identify: () => false,
});
const READ = FAILSAFE_SCHEMA.withTags(realMapTag, nullCoreTag, boolJsonTag, integerTag, mergeTag);
const WRITE = DUMP_SCHEMA.withTags(realMapTag);

/** What an empty file means: somebody's torn write, never an empty queue, which is `{}`. */
function emptyFile(shown: string): StoreError {
  const kind = shown.endsWith("-cluster.yaml") ? "cluster" : "queue";
  return new StoreError(shown, 0, `is empty; write {} for an empty ${kind}`);
}

/**
 * Reads a file's text: a map of names to whatever stands there. `shown` names the file in errors.
 * @throws {StoreError} If it is empty, no YAML, or no map; with the line where there is one.
 */
export function parseYaml(text: string, shown: string): Map<string, unknown> {
  if (/^\ufeff?\s*$/.test(text)) throw emptyFile(shown);
  const quick = quickParse(text);
  if (quick !== null) return quick;
  let document: unknown;
  try {
    document = load(text, { schema: READ });
  } catch (cause) {
    if (!(cause instanceof YAMLException)) throw cause;
    if (cause.reason.includes("input is empty")) throw emptyFile(shown);
    throw new StoreError(shown, cause.mark === undefined ? 0 : cause.mark.line + 1, cause.reason, { cause });
  }
  if (!(document instanceof Map)) throw new StoreError(shown, 1, "is not a map of names");
  const entries = new Map<string, unknown>();
  for (const [key, value] of document) {
    if (typeof key === "object" && key !== null) throw new StoreError(shown, 0, "holds a key that is not a name");
    const name = String(key);
    if (entries.has(name)) throw new StoreError(shown, lineOf(text, name), `holds ${name} twice`);
    entries.set(name, value);
  }
  return entries;
}

/** The line, from 1, where an entry (or a field of it) stands in a file's text; 0 if it is not found. For error messages. */
export function lineOf(text: string, name: string, field?: string): number {
  const lines = text.split("\n");
  const isKey = (line: string, key: string) =>
    [key, `'${key}'`, `"${key}"`].some((form) => line.startsWith(form) && /^\s*:(\s|$)/.test(line.slice(form.length)));
  const at = lines.findIndex((line) => isKey(line, name));
  if (at < 0 || field === undefined) return at + 1;
  for (let i = at + 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (/^[^\s#]/.test(line)) break;
    if (isKey(line.trimStart(), field)) return i + 1;
  }
  return at + 1;
}

// The library takes about 5 us for a scalar, far too much for the millions of a large queue. These are the common ones that it
// would write in the same way; a test compares both.
const PLAIN = /^(?:[A-Za-z\/]|\.\/|~\/)(?:[A-Za-z0-9_.\/;=&|<>()+*$~@% -]*[A-Za-z0-9_.\/;])?$/;
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
const HEX_TEXT = /^[0-9][0-9a-f]*[acdf][0-9a-f]*$/;
const QUOTED = /^(?:[0-9]|[1-9][0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)$/;

function quickScalar(value: unknown): string | null {
  if (value === null) return "null";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return null;
  if (value === "") return "''";
  if (value.length < 200) {
    if (PLAIN.test(value)) return RESERVED.test(value) ? `'${value}'` : value;
    if (QUOTED.test(value)) return `'${value}'`;
    if (HEX_TEXT.test(value)) return value;
  }
  return null;
}

/**
 * Reads a file of entries as {@link renderBlock} writes them, the uncommon ones with the library's help, entry by entry; null if
 * it is not such a file. It is the same language, only less of it: a test compares both.
 */
function quickParse(text: string): Map<string, unknown> | null {
  // Anchors and directives reach from one entry into others.
  if (/^[%?-]|(?:^|\s)[&*]|<<\s*:|\r/m.test(text)) return null;
  const entries = new Map<string, unknown>();
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    const name = end > start && text[end - 1] === ":" ? quickValue(text.slice(start, end - 1)) : null;
    if (typeof name !== "string" || name === "" || entries.has(name)) return null;
    const fields = new Map<string, unknown>();
    const next = quickFields(text, end + 1, fields);
    const stop = next ?? nextEntry(text, end + 1);
    const value = next !== null ? fields : slowEntry(text.slice(start, stop), name);
    if (value === undefined) return null;
    entries.set(name, value);
    start = stop;
  }
  return entries;
}

/** Reads the fields that begin at `start`; gives where the next entry begins, or null if one is not on the quick way. */
function quickFields(text: string, start: number, fields: Map<string, unknown>): number | null {
  while (text.startsWith("  ", start)) {
    const end = text.indexOf("\n", start);
    const colon = text.indexOf(": ", start);
    const field = text.slice(start + 2, colon);
    if (colon < 0 || colon > end || !/^[a-z][a-z_]+$/.test(field) || RESERVED.test(field)) return null;
    const value = quickValue(text.slice(colon + 2, end));
    if (value === undefined || fields.has(field)) return null;
    fields.set(field, value);
    start = end + 1;
  }
  return fields.size > 0 && (start === text.length || /[A-Za-z0-9_']/.test(text[start]!)) ? start : null;
}

function nextEntry(text: string, start: number): number {
  while (start < text.length && /[\s#]/.test(text[start]!)) {
    const end = text.indexOf("\n", start);
    start = end < 0 ? text.length : end + 1;
  }
  return start;
}

/** What the library reads for an entry by itself; undefined if it cannot (reading the whole file will say where). */
function slowEntry(text: string, name: string): unknown {
  try {
    const entry = load(text, { schema: READ });
    return entry instanceof Map && entry.size === 1 ? entry.get(name) : undefined;
  } catch {
    return undefined;
  }
}

/** The value of a scalar on one line, or undefined if it is not one of the plain cases. */
function quickValue(text: string): unknown {
  if (PLAIN.test(text) && !RESERVED.test(text)) return text;
  if (text === "null") return null;
  if (text === "true" || text === "false") return text === "true";
  if (/^'[ -&(-~]*'$/.test(text)) return text.slice(1, -1);
  if (/^(?:0|-?[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  return HEX_TEXT.test(text) ? text : undefined;
}

function fullDump(value: unknown): string {
  return dump(value, { schema: WRITE, lineWidth: -1, noRefs: true });
}

/** One entry of a file: its name and fields, ending in a newline. Files are such blocks, one after the other. */
export function renderBlock(name: string, record: Readonly<Record<string, unknown>>): string {
  // "y: 1" is one line "KEY: 1"; the key alone is needed.
  let text = (PLAIN.test(name) && !RESERVED.test(name) ? name : fullDump({ [name]: 1 }).slice(0, -": 1\n".length)) +
    ":\n";
  for (const [field, value] of Object.entries(record)) {
    const quick = PLAIN.test(field) && !RESERVED.test(field) ? quickScalar(value) : null;
    // Without something after it, text that ends in several newlines would get the mark of a document's end.
    text += quick !== null
      ? `  ${field}: ${quick}\n`
      : fullDump({ x: { [field]: value }, y1: 0 }).slice("x:\n".length, -"y1: 0\n".length);
  }
  return text;
}

/** A whole file from its blocks. */
export function joinBlocks(blocks: readonly string[]): string {
  return blocks.length === 0 ? "{}\n" : blocks.join("");
}
