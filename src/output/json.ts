/**
 * Records as JSON.
 *
 * @module
 */

/** What JSON leaves as it is and a terminal takes for a command, or for a turn of the direction of text. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const escaped = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** An array of objects, two blanks of indent, with a line end. No text in it can move a cursor. */
export function renderJson(records: readonly object[]): string {
  return `${JSON.stringify(records, null, 2).replaceAll(UNSAFE, escaped)}\n`;
}
