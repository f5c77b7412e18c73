/**
 * The one function that quotes text for a POSIX shell.
 *
 * @module
 */

/**
 * Single-quotes `text` so that a POSIX shell reads exactly it as one word.
 * @throws {RangeError} If it holds a NUL, which no shell word can.
 */
export function quote(text: string): string {
  if (text.includes("\0")) throw new RangeError("Cannot quote text for a shell: it holds a NUL character");
  return `'${text.replaceAll("'", "'\\''")}'`;
}
