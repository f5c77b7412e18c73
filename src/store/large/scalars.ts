/**
 * The common scalars of queue and cluster files, read and written without the YAML library, which takes about 5 us for
 * each: far too much for the millions of a large queue. It is the same language, only less of it; tests compare both.
 *
 * @module
 */

const PLAIN = /^(?:[A-Za-z\/]|\.\/|~\/)(?:[A-Za-z0-9_.\/;=&|<>()+*$~@% -]*[A-Za-z0-9_.\/;])?$/;
/**
 * More than is written plain: what stands after the first character has no meaning in block style, but for these three.
 */
const PLAIN_READ = /^(?:[A-Za-z\/]|\.\/|~\/)[ -~]*$/;
const NOT_PLAIN = /: | #|[ :]$/;
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
// One way to match each text, so that a long one takes no longer than its length.
const HEX_TEXT = /^[0-9][0-9be]*[acdf][0-9a-f]*$/;
/** Read: only whole numbers in decimal digits are numbers there. */
const HEX_READ = /^[0-9]+[a-f][0-9a-f]*$/;
const QUOTED = /^(?:[0-9]|[1-9][0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)$/;
const FIELD = /^[a-z][a-z_]+$/;

/** True for a text that is written as it is, as a key and as a value. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text) && !RESERVED.test(text);
}

/** True for the name of a field that needs no quotes and has no other meaning. */
export function isFieldName(text: string): boolean {
  return FIELD.test(text) && !RESERVED.test(text);
}

/** A scalar as the library would write it; null if it is none of the common ones. */
export function quickScalar(value: unknown): string | null {
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

/** The value of a scalar on one line, or undefined if it is none of the common ones. */
export function quickValue(text: string): unknown {
  if (text === "null") return null;
  if (PLAIN_READ.test(text) && !RESERVED.test(text)) return NOT_PLAIN.test(text) ? undefined : text;
  if (text === "true" || text === "false") return text === "true";
  if (/^'(?:[ -&(-~]|'')*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (/^(?:0|-?[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  return HEX_READ.test(text) ? text : undefined;
}
