/**
 * What a person presses, out of the bytes that a terminal sends in raw mode. Pure.
 *
 * @module
 */

/** A key by name: `up`, `enter`, `escape`, `interrupt` (Ctrl-C), or the character itself. */
export type Key = string;

const SEQUENCES: Readonly<Record<string, Key>> = {
  "\u001b[A": "up",
  "\u001bOA": "up",
  "\u001b[B": "down",
  "\u001bOB": "down",
  "\u001b[C": "right",
  "\u001bOC": "right",
  "\u001b[D": "left",
  "\u001bOD": "left",
  "\u001b[5~": "page up",
  "\u001b[6~": "page down",
  "\r": "enter",
  "\n": "enter",
  "\u001b": "escape",
  "\u0003": "interrupt",
  "\u0004": "interrupt",
};

/** An escape sequence, or one character. */
// deno-lint-ignore no-control-regex
const KEYS = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|O[A-Za-z])|[^]/gu;

/** The keys of some text, in order. A sequence that nobody knows is left out. */
export function keysOf(text: string): Key[] {
  return (text.match(KEYS) ?? []).flatMap((word) => {
    const key = SEQUENCES[word];
    if (key !== undefined) return key;
    return word.length > 2 || word < " " ? [] : word;
  });
}
