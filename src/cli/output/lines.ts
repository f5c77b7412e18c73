/**
 * Lines for people: `INFO: ...` on stdout, `WARNING: ...` and `ERROR: ...` on stderr, banners, lists of names. The text
 * is that of the original program, byte for byte.
 *
 * @module
 */

import type { Terminal } from "../io.ts";
import { type Color, paint, wantsColor } from "./color.ts";
import { printable } from "../../output/printable.ts";

/** Longest list of names that is printed whole. */
export const LIST_LIMIT = 1000;

const RULE = "# " + "-".repeat(70);

/** Where a command writes. Each text is one line without its end; control characters in it are shown escaped. */
export interface Lines {
  /** A line as it is, on stdout. */
  plain(text: string): void;
  info(text: string): void;
  warning(text: string): void;
  error(text: string): void;
  /** `# ---`, `# text`, `# ---` between blank lines, on stdout. */
  banner(text: string): void;
}

/** Lines that go to `out` and `err`. */
export function makeLines(
  to: Pick<Terminal, "out" | "err" | "outIsTerminal" | "errIsTerminal">,
  environment: { get(name: string): string | undefined },
): Lines {
  const outColor = wantsColor(to.outIsTerminal, environment);
  const errColor = wantsColor(to.errIsTerminal, environment);
  const marked = (word: string, color: Color, on: boolean, text: string) =>
    `${paint(`${word}:`, color, on)} ${printable(text)}\n`;
  return {
    plain: (text) => to.out(`${text}\n`),
    info: (text) => to.out(marked("INFO", "blue", outColor, text)),
    warning: (text) => to.err(marked("WARNING", "magenta", errColor, text)),
    error: (text) => to.err(marked("ERROR", "red", errColor, text)),
    banner: (text) =>
      to.out(`\n${[RULE, `# ${printable(text)}`, RULE].map((line) => paint(line, "blue", outColor)).join("\n")}\n\n`),
  };
}

/** Most jobs that a line names where all would be too many. */
export const NAMED = 20;

/** `['job1', 'job2']`; after so many names only how many more there are. */
export function nameList(names: readonly string[], limit = LIST_LIMIT, count = names.length): string {
  const shown = names.slice(0, limit).map((name) => `'${name}'`).join(", ");
  const more = count - limit;
  return more > 0 ? `[${shown}, ... and ${more} more]` : `[${shown}]`;
}
