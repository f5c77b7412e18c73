/**
 * Parts of what a job wrote, as text for people: cut into lines, with nothing in it that moves the cursor. Pure.
 *
 * @module
 */

import { printable } from "./printable.ts";

/** Longest line that is kept until it ends; a longer one is given in pieces. */
const LONGEST = 64 * 1024;

/** Cuts a stream of bytes into lines. A character that is split between two parts stays whole. */
export class LineCutter {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** The lines that these bytes complete, without their ends. */
  take(bytes: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LONGEST) {
      lines.push(this.#rest);
      this.#rest = "";
    }
    return lines;
  }

  /** What stands after the last line end; `""` for nothing. */
  end(): string {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    return rest;
  }
}

/** A line for a terminal: tabs stay, a carriage return at its end goes, all other control characters are shown. */
export function shownLine(line: string): string {
  return line.replace(/\r$/, "").split("\t").map(printable).join("\t");
}

/** The last lines of some text, with their ends. */
export function lastLines(text: string, count: number): string {
  let at = text.endsWith("\n") ? text.length - 1 : text.length;
  for (let i = 0; i < count && at >= 0; i++) at = at === 0 ? -1 : text.lastIndexOf("\n", at - 1);
  return text.slice(at + 1);
}

/** The first lines of some text, with their ends. */
export function firstLines(text: string, count: number): string {
  let at = 0;
  for (let i = 0; i < count && at < text.length; i++) {
    at = text.indexOf("\n", at) < 0 ? text.length : text.indexOf("\n", at) + 1;
  }
  return text.slice(0, at);
}
