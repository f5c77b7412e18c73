/**
 * Lines that overwrite themselves, as the bars of a progress do.
 *
 * @module
 */

/** Begins colours, and all else that is for a terminal. */
export const ESCAPE = "\u001b";

/** What is left to be seen of a line that was written over from its begin: of each place what came last. */
export function overwritten(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\r") end--;
  // From the last part on, so that a line of a million parts takes no longer than any other.
  let seen = "";
  while (end >= 0) {
    const begin = end === 0 ? 0 : line.lastIndexOf("\r", end - 1) + 1;
    seen += line.slice(begin + seen.length, Math.max(end, begin + seen.length));
    // A part with colours is not measured: it takes the place of the line.
    const isLast = begin === 0 || line.slice(begin, end).includes(ESCAPE);
    end = isLast ? -1 : begin - 1;
  }
  return seen;
}
