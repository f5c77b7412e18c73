/**
 * Records as JSON.
 *
 * @module
 */

/** An array of objects, two blanks of indent, with a line end. */
export function renderJson(records: readonly object[]): string {
  return `${JSON.stringify(records, null, 2)}\n`;
}
