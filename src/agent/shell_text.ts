/**
 * Texts of shell on their way to a host.
 *
 * @module
 */

/** A text without the lines that are empty or nothing but a comment, and without a line break at its end. */
export function withoutComments(text: string): string {
  return text.split("\n").filter((line) => !/^\s*(#|$)/.test(line)).join("\n");
}
