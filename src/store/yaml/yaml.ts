/**
 * YAML text to maps and back: what stands in queue and cluster files. Types of fields are the business of
 * `job_record.ts` and `host_record.ts`; here a scalar is null, true, false, an integer, or text.
 *
 * Reading takes only these for what they are: `null`, `~` and nothing; `true`, `false`; integers as a program writes
 * them (`-?(0|[1-9][0-9]*)`, safe in a double). All else stays the text it is: `007`, `1e3`, `1.10`, `12:30`, `yes`.
 * Writing quotes every text that some reader of YAML 1.1 or 1.2 would take for another type. Maps are `Map`s: the order
 * of a JavaScript object would put a job named `2` before one named `a`.
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
import { StoreError } from "../../errors.ts";
import { isFieldName, isPlain, quickScalar, quickValue } from "../large/scalars.ts";

/** An alias stands for a copy: a few lines of them can stand for gigabytes. */
const MOST_UNFOLDED = 32 * 1024 * 1024;
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
  const document = loadYaml(text, shown);
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

/**
 * Reads a text of any shape, its scalars as {@link parseYaml} reads them. @throws {StoreError} If it is empty or no
 * YAML, or its aliases unfold to too much.
 */
export function loadYaml(text: string, shown: string): unknown {
  let document: unknown;
  try {
    document = load(text, { schema: READ });
  } catch (cause) {
    if (!(cause instanceof YAMLException)) throw cause;
    if (cause.reason.includes("input is empty")) throw emptyFile(shown);
    throw new StoreError(shown, cause.mark === undefined ? 0 : cause.mark.line + 1, cause.reason, { cause });
  }
  if (unfolds(document, MOST_UNFOLDED + text.length) < 0) {
    throw new StoreError(shown, 0, "its aliases unfold to more than 32 MiB of text");
  }
  return document;
}

/**
 * What is left of `room` when each value has taken its length, as often as it is named; below 0 as soon as there is no
 * room.
 */
function unfolds(value: unknown, room: number): number {
  if (typeof value === "string") return room - value.length;
  if (typeof value !== "object" || value === null) return room - 1;
  let left = room - 1;
  for (const inner of value instanceof Map ? [...value].flat() : value as unknown[]) {
    left = unfolds(inner, left);
    if (left < 0) break;
  }
  return left;
}

/**
 * The line, from 1, where an entry (or a field of it) stands in a file's text; 0 if it is not found. For error
 * messages.
 */
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

/**
 * Reads a file of entries as {@link renderBlock} writes them, the uncommon ones with the library's help, entry by
 * entry; null if it is not such a file. It is the same language, only less of it: a test compares both.
 */
function quickParse(text: string): Map<string, unknown> | null {
  if (!hasSeparateEntries(text)) return null;
  const entries = new Map<string, unknown>();
  for (let start = 0; start < text.length;) {
    const entry = readEntry(text, start);
    if (entry === null || entries.has(entry.name)) return null;
    entries.set(entry.name, entry.value);
    start = entry.end;
  }
  return entries;
}

/**
 * False if anchors, directives or marks of documents may reach from one entry of a file into others: then only the
 * library reads it.
 */
export function hasSeparateEntries(text: string): boolean {
  return !/^(?:[%?-]|\.\.\.)|(?:^|\s)[&*]|<<\s*:|\r/m.test(text);
}

/**
 * Reads the entry that begins at `start` of a text that {@link hasSeparateEntries}; null if only the library can read
 * the text, or say what is wrong with it.
 */
export function readEntry(text: string, start: number): { name: string; value: unknown; end: number } | null {
  const end = text.indexOf("\n", start);
  const name = end > start && text[end - 1] === ":" ? quickValue(text.slice(start, end - 1)) : null;
  if (typeof name !== "string" || name === "") return null;
  const fields = new Map<string, unknown>();
  const next = readFields(text, end + 1, fields);
  const stop = next ?? nextEntry(text, end + 1);
  const value = next !== null ? fields : slowEntry(text.slice(start, stop), name);
  return value === undefined ? null : { name, value, end: stop };
}

/**
 * Reads the fields that begin at `start`; gives where the next entry begins, or null if they are not on the quick way.
 */
function readFields(text: string, start: number, fields: Map<string, unknown>): number | null {
  while (text.startsWith("  ", start)) {
    const end = text.indexOf("\n", start);
    const colon = text.indexOf(":", start);
    const field = text.slice(start + 2, colon);
    if (colon < 0 || colon > end || !isFieldName(field) || fields.has(field)) return null;
    let stop = end + 1;
    let value = text[colon + 1] === " " ? quickValue(text.slice(colon + 2, end)) : undefined;
    // A line that is deeper belongs to the value.
    if (value === undefined || text.startsWith("   ", stop) || text[stop] === "\n") {
      stop = fieldEnd(text, stop);
      value = slowEntry(`x:\n${text.slice(start, stop)}`, "x");
      value = value instanceof Map && value.size === 1 ? value.get(field) : undefined;
    }
    if (value === undefined) return null;
    fields.set(field, value);
    start = stop;
  }
  return fields.size > 0 && (start === text.length || /[A-Za-z0-9_']/.test(text[start]!)) ? start : null;
}

/** Where the lines end that are deeper than a field, or empty. */
function fieldEnd(text: string, start: number): number {
  while (start < text.length && (text.startsWith("   ", start) || text[start] === "\n")) {
    const end = text.indexOf("\n", start);
    start = end < 0 ? text.length : end + 1;
  }
  return start;
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

function fullDump(value: unknown): string {
  return dump(value, { schema: WRITE, lineWidth: -1, noRefs: true });
}

/** The line that an entry of this name begins with. */
export function keyLine(name: string): string {
  // "y: 1" is one line "KEY: 1"; the key alone is needed.
  return isPlain(name) ? `${name}:` : fullDump({ [name]: 1 }).slice(0, -" 1\n".length);
}

/**
 * One entry of a file: its name and fields, ending in a newline. Files are such blocks, one after the other.
 * @param left Fields that are left out.
 */
export function renderBlock(
  name: string,
  record: Readonly<Record<string, unknown>>,
  left: ReadonlySet<string> = NONE,
): string {
  let text = `${keyLine(name)}\n`;
  for (const field in record) {
    if (left.has(field)) continue;
    const value = record[field];
    const isKnown = isPlainKey(field);
    const quick = isKnown ? quickScalar(value) : null;
    const map = quick === null && isKnown ? quickMap(value) : null;
    if (map !== null) {
      text += `  ${field}:\n${map}`;
      continue;
    }
    // Without something after it, text that ends in several newlines would get the mark of a document's end.
    text += quick !== null
      ? `  ${field}: ${quick}\n`
      : fullDump({ x: { [field]: value }, y1: 0 }).slice("x:\n".length, -"y1: 0\n".length);
  }
  return text;
}

const NONE: ReadonlySet<string> = new Set();

/** Keys that are known to be plain: there are few of them, and each stands in many entries. */
const plainKeys = new Set<string>();
const MOST_KEYS = 1000;

function isPlainKey(key: string): boolean {
  if (plainKeys.has(key)) return true;
  if (!isPlain(key)) return false;
  if (plainKeys.size < MOST_KEYS) plainKeys.add(key);
  return true;
}

/** The lines of a map of common scalars, such as parameters; null if it is none. */
function quickMap(value: unknown): string | null {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return null;
  let text = "";
  for (const [key, one] of Object.entries(value)) {
    const quick = isPlainKey(key) ? quickScalar(one) : null;
    if (quick === null) return null;
    text += `    ${key}: ${quick}\n`;
  }
  return text === "" ? null : text;
}

/** A whole file from its blocks. */
export function joinBlocks(blocks: readonly string[]): string {
  return blocks.length === 0 ? "{}\n" : blocks.join("");
}
