/**
 * Makes any text safe to print: nothing that comes from a file or a host can move the cursor or hide other text.
 *
 * @module
 */

/** C0 and C1 controls, line and paragraph separators, and what turns the direction of text. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * The text with its control characters written as `\n`, `\t`, `\x1b`, `\u202e`. Line ends too: the result is one line.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (c) => SHORT[c] ?? escape(c.charCodeAt(0)));
}

/** The same for a text of several lines, which stay lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

function escape(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
