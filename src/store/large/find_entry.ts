/**
 * Finds single entries in the file of a large queue, as the program wrote it, without reading the others.
 *
 * @module
 */

import type { Files } from "../../deps.ts";

const NEWLINE = 10;
const BLANK = 32;

/**
 * Where each of some lines begins in a file; null where it does not stand there. Looks only at every so many bytes
 * (Horspool's search), which is as fast as the file can be read.
 */
export async function findLines(files: Files, path: string, lines: readonly string[]): Promise<(number | null)[]> {
  const wanted = lines.map((line) => new TextEncoder().encode(`\n${line}\n`));
  const found: (number | null)[] = wanted.map(() => null);
  const searches = wanted.map(searchFor);
  const keep = Math.max(...wanted.map(({ length }) => length)) - 1;
  // As if a line ended before the first.
  let rest = Uint8Array.of(NEWLINE);
  let restAt = -1;
  for await (const piece of files.pieces(path, 0)) {
    // What begins in one piece may end in the next.
    const seam = new Uint8Array(rest.length + Math.min(keep, piece.length));
    seam.set(rest);
    seam.set(piece.subarray(0, keep), rest.length);
    const pieceAt = restAt + rest.length;
    searches.forEach((search, i) => {
      if (found[i] !== null) return;
      const inSeam = search(seam);
      const inPiece = inSeam < 0 ? search(piece) : -1;
      if (inSeam >= 0) found[i] = restAt + inSeam + 1;
      else if (inPiece >= 0) found[i] = pieceAt + inPiece + 1;
    });
    if (!found.includes(null)) break;
    const tail = piece.length >= keep ? piece.slice(piece.length - keep) : seam.slice(-keep);
    restAt = pieceAt + piece.length - tail.length;
    rest = tail;
  }
  return found;
}

/** Gives where `wanted` stands first in some bytes, or -1. */
export function searchFor(wanted: Uint8Array): (bytes: Uint8Array, from?: number) => number {
  const last = wanted.length - 1;
  const skips = new Int32Array(256).fill(wanted.length);
  for (let i = 0; i < last; i++) skips[wanted[i]!] = last - i;
  return (bytes, from = 0) => {
    for (let end = from + last; end < bytes.length; end += skips[bytes[end]!]!) {
      let i = last;
      while (i >= 0 && bytes[end - last + i] === wanted[i]) i--;
      if (i < 0) return end - last;
    }
    return -1;
  };
}

/** The entry that begins at `offset`: up to the next line that is not indented. */
export async function readBlockAt(files: Files, path: string, offset: number): Promise<Uint8Array> {
  let block = new Uint8Array();
  for await (const piece of files.pieces(path, offset)) {
    const longer = new Uint8Array(block.length + piece.length);
    longer.set(block);
    longer.set(piece, block.length);
    block = longer;
    for (let at = block.indexOf(NEWLINE); at >= 0 && at + 1 < block.length; at = block.indexOf(NEWLINE, at + 1)) {
      if (block[at + 1] !== BLANK && block[at + 1] !== NEWLINE) return block.subarray(0, at + 1);
    }
  }
  return block;
}
