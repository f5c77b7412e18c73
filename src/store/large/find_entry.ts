/**
 * Finds single entries in the file of a large queue, as the program wrote it, without reading the others.
 *
 * @module
 */

import type { Files } from "../../deps.ts";
import { quickScalar } from "./scalars.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
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

/** Entries of a file, as they were found. */
export interface FoundEntries {
  /** The text of those that were asked for by name. */
  readonly named: readonly Uint8Array[];
  /** The text of those that have the other name in a list. */
  readonly listing: readonly Uint8Array[];
}

/** What {@link findEntries} looks for. */
export interface WantedEntries {
  readonly names: readonly string[];
  /** A name that stands in a list of theirs, such as `after`; null for none. */
  readonly listed: string | null;
  /** Of those that list it. */
  readonly most: number;
}

/** Names that each get a search of their own. */
const MOST_SEARCHES = 4;
const NAME_LINE = encoder.encode("\n  name: ");

/**
 * Looks once through a file for any number of entries.
 * @returns null if more than `most` list the name, or if a name is not written as it is.
 */
export async function findEntries(files: Files, path: string, wanted: WantedEntries): Promise<FoundEntries | null> {
  const { names, listed, most } = wanted;
  const words = [...names, ...(listed === null ? [] : [listed])].map(quickScalar);
  if (words.includes(null)) return null;
  const sought = new Set(words.slice(0, names.length) as string[]);
  const find = sought.size <= MOST_SEARCHES ? eachOf(sought) : anyOf(sought);
  const findListing = listed === null ? () => -1 : searchFor(encoder.encode(`\n    - ${words.at(-1)}\n`));
  const named: Uint8Array[] = [];
  const listing: Uint8Array[] = [];
  for await (const bytes of entryPieces(files, path)) {
    for (const at of sought.size === 0 ? [] : find(bytes)) named.push(bytes.slice(...entryAround(bytes, at)));
    for (let at = findListing(bytes); at >= 0;) {
      const [start, stop] = entryAround(bytes, at);
      listing.push(bytes.slice(start, stop));
      if (listing.length > most) return null;
      at = findListing(bytes, stop - 1);
    }
    if (sought.size === 0 && listed === null) break;
  }
  return { named, listing };
}

/** Where the entries of some names are in a piece; takes the names that it finds away. A search for each. */
function eachOf(sought: Set<string>): (bytes: Uint8Array) => number[] {
  const searches = new Map([...sought].map((name) => [name, searchFor(encoder.encode(`\n  name: ${name}\n`))]));
  return (bytes) =>
    [...searches].flatMap(([name, search]) => {
      const at = sought.has(name) ? search(bytes) : -1;
      if (at >= 0) sought.delete(name);
      return at < 0 ? [] : [at];
    });
}

/** The same, by a look at the name of each entry. */
function anyOf(sought: Set<string>): (bytes: Uint8Array) => number[] {
  const lengths = new Set([...sought].map((name) => encoder.encode(name).length));
  const search = searchFor(NAME_LINE);
  return (bytes) => {
    const found: number[] = [];
    for (let at = search(bytes); at >= 0; at = search(bytes, at + 1)) {
      const from = at + NAME_LINE.length;
      const end = bytes.indexOf(NEWLINE, from);
      if (lengths.has(end - from) && sought.delete(decoder.decode(bytes.subarray(from, end)))) found.push(at);
    }
    return found;
  };
}

/** The file in pieces that begin and end between two entries. A piece is good until the next is asked for. */
export async function* entryPieces(files: Files, path: string): AsyncGenerator<Uint8Array> {
  let buffer = new Uint8Array();
  let kept = 0;
  for await (const piece of files.pieces(path, 0)) {
    const length = kept + piece.length;
    if (buffer.length < length) {
      const larger = new Uint8Array(2 * length);
      larger.set(buffer.subarray(0, kept));
      buffer = larger;
    }
    buffer.set(piece, kept);
    const end = entryStart(buffer, length);
    if (end > 0) yield buffer.subarray(0, end);
    buffer.copyWithin(0, end, length);
    kept = length - end;
  }
  if (kept > 0) yield buffer.subarray(0, kept);
}

/** Characters of entries that are a millisecond's work. */
const TEXT = 16 * 1024;

/** The text of a file in small parts that begin and end between two entries. @throws {TypeError} If it is no UTF-8. */
export async function* entryTexts(files: Files, path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for await (const bytes of entryPieces(files, path)) {
    const text = decoder.decode(bytes);
    for (let start = 0; start < text.length;) {
      let end = text.indexOf("\n", start + TEXT) + 1;
      while (end > 0 && /[ \n]/.test(text[end] ?? "x")) end = text.indexOf("\n", end) + 1;
      const stop = end === 0 ? text.length : end;
      yield text.slice(start, stop);
      start = stop;
    }
  }
}

/**
 * The entries that have some text, such as the begin of a line, and that `keep` takes.
 * @returns null if they are more than `most`.
 */
export async function findEntriesWith(
  files: Files,
  path: string,
  { text, keep, most }: { text: string; keep: (entry: Uint8Array) => boolean; most: number },
): Promise<Uint8Array[] | null> {
  const find = searchFor(encoder.encode(text));
  const found: Uint8Array[] = [];
  for await (const bytes of entryPieces(files, path)) {
    for (let at = find(bytes); at >= 0;) {
      const [start, stop] = entryAround(bytes, at);
      const entry = bytes.subarray(start, stop);
      if (keep(entry)) found.push(entry.slice());
      if (found.length > most) return null;
      at = find(bytes, stop - 1);
    }
  }
  return found;
}

/** Begin and end of the entry that `at` is in. */
function entryAround(bytes: Uint8Array, at: number): [start: number, stop: number] {
  let stop = bytes.indexOf(NEWLINE, at + 1);
  while (stop >= 0 && !isEntry(bytes, stop + 1)) stop = bytes.indexOf(NEWLINE, stop + 1);
  return [entryStart(bytes, at + 1), stop < 0 ? bytes.length : stop + 1];
}

/** Where the last entry before `before` begins: a line that is not indented. */
function entryStart(bytes: Uint8Array, before: number): number {
  for (let at = bytes.lastIndexOf(NEWLINE, before - 1); at > 0; at = bytes.lastIndexOf(NEWLINE, at - 1)) {
    if (at + 1 < before && isEntry(bytes, at + 1)) return at + 1;
  }
  return 0;
}

/** True if a line that begins here is not indented, nor empty. */
function isEntry(bytes: Uint8Array, at: number): boolean {
  return at < bytes.length && bytes[at] !== BLANK && bytes[at] !== NEWLINE;
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
