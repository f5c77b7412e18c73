/**
 * What a job wrote, as a terminal would show it: colours, and lines that overwrite themselves. Never as markup.
 *
 * @module
 */

import { AnsiUp } from "ansi_up";

/** Lines of more characters are cut: nobody reads on, and a browser would not go on either. */
const LONGEST_LINE = 20_000;

/** HTML of a text; all that is in the text is escaped, colours are classes. */
export function terminalHtml(text: string): string {
  const lines = text.split("\n").map((line) => {
    const last = overwritten(line);
    return last.length > LONGEST_LINE ? `${last.slice(0, LONGEST_LINE)} … (${last.length} characters)` : last;
  });
  const ansi = new AnsiUp();
  ansi.escape_html = true;
  ansi.use_classes = true;
  ansi.url_allowlist = {};
  return ansi.ansi_to_html(visible(lines.join("\n")));
}

/** What is left to be seen of a line that was written over from its begin. */
function overwritten(line: string): string {
  const parts = line.replace(/\r+$/, "").split("\r");
  let seen = parts[0] ?? "";
  for (const part of parts.slice(1)) {
    // A part with colours is not measured: it takes the place of the line.
    seen = part.includes("\u001b") ? part : part + seen.slice(part.length);
  }
  return seen;
}

const ESCAPE = "\u001b";
/** Escape sequences that are no colour: they would move a terminal's cursor, or set its title. */
const OTHER = new RegExp(
  `${ESCAPE}(?!\\[[0-9;]*m)(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^\u0007${ESCAPE}]*(?:\u0007|${ESCAPE}\\\\)?|.)?`,
  "g",
);
const CONTROL = new RegExp("[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f]", "g");

/** Control characters, but for colours, tabs and line ends, as signs that can be seen. */
function visible(text: string): string {
  return text.replaceAll(OTHER, "").replaceAll(CONTROL, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)));
}
