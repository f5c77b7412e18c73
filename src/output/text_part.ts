/**
 * Parts of what a job wrote, cut into lines; for people as text with nothing in it that moves the cursor. Pure.
 *
 * @module
 */

import { joined } from "../bytes.ts";
import { printable } from "./printable.ts";

/** Longest line that is kept until it ends, bytes; a longer one is given in pieces. */
const LONGEST = 64 * 1024;
const NEWLINE = 10;

/** Cuts a stream of bytes into lines. */
export class LineCutter {
  #rest = new Uint8Array();

  /** The lines that these bytes complete, without their ends. */
  take(bytes: Uint8Array): Uint8Array[] {
    const all = this.#rest.length === 0 ? bytes : joined([this.#rest, bytes]);
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let end = all.indexOf(NEWLINE); end >= 0; end = all.indexOf(NEWLINE, from)) {
      lines.push(all.subarray(from, end));
      from = end + 1;
    }
    while (all.length - from > LONGEST) {
      const end = characterEnd(all, from + LONGEST);
      lines.push(all.subarray(from, end));
      from = end;
    }
    this.#rest = all.slice(from);
    return lines;
  }

  /** What stands after the last line end; empty for nothing. */
  end(): Uint8Array {
    const rest = this.#rest;
    this.#rest = new Uint8Array();
    return rest;
  }
}

/** Where the character ends that `at` is in: UTF-8 has at most three bytes more. */
function characterEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end > at - 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return (bytes[end]! & 0xc0) === 0x80 ? at : end;
}

/** A line for a terminal: tabs stay, a carriage return at its end goes, all other control characters are shown. */
export function shownLine(line: string): string {
  return line.replace(/\r$/, "").split("\t").map(printable).join("\t");
}

/** Where the last lines of some bytes begin; 0 also where there are fewer. */
export function lastLinesStart(bytes: Uint8Array, count: number): number {
  let at = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  for (let i = 0; i < count && at >= 0; i++) at = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1);
  return at + 1;
}

/** Where the line end number `count` of some bytes stands, and how many there are up to there. */
export function firstLinesEnd(bytes: Uint8Array, count: number): { end: number; lines: number } {
  let end = 0;
  let lines = 0;
  for (; lines < count; lines++) {
    const at = bytes.indexOf(NEWLINE, end);
    if (at < 0) return { end: bytes.length, lines };
    end = at + 1;
  }
  return { end, lines };
}
