/**
 * Where the last lines of a file begin that is read in parts, and may grow meanwhile.
 *
 * @module
 */

import type { FilePart } from "../link/link.ts";

/** Gives a part of the file; null if there is none. */
export type ReadPart = (part: FilePart) => Promise<Uint8Array | null>;

const STEP_BYTES = 64 * 1024;
/** So much is looked through for lines. */
const MOST_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/**
 * The place after which so many lines are left; with 0 lines the end of the file as it is now. Of a file whose last
 * lines are longer than is looked through, the place from which it was. 0 where there is no file.
 */
export async function placeOfLastLines(read: ReadPart, lines: number): Promise<number> {
  const end = await endOf(read);
  if (lines === 0) return end;
  let left = lines;
  for (let to = end; to > 0 && end - to < MOST_BYTES;) {
    const from = Math.max(0, to - STEP_BYTES);
    const bytes = (await read({ from, maxBytes: to - from })) ?? new Uint8Array();
    // The end of the last line begins no other.
    for (let at = bytes.length - (to === end ? 2 : 1); at >= 0; at--) {
      if (bytes[at] === NEWLINE && --left === 0) return from + at + 1;
    }
    to = from;
  }
  return Math.max(0, end - MOST_BYTES);
}

/** How many bytes there are: no host is asked for the size, and a part behind the end is empty. */
async function endOf(read: ReadPart): Promise<number> {
  const hasStep = async (step: number): Promise<boolean> =>
    (await read({ from: step * STEP_BYTES, maxBytes: 1 }))?.length === 1;
  // The last step that holds anything is from `least` on, and before `most`.
  let [least, most] = [0, 1];
  while (await hasStep(most)) [least, most] = [most, 2 * most];
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (await hasStep(middle)) least = middle;
    else most = middle;
  }
  const last = await read({ from: least * STEP_BYTES, maxBytes: STEP_BYTES });
  return least * STEP_BYTES + (last?.length ?? 0);
}
