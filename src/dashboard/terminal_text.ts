/**
 * What a job wrote, as a terminal would show it: colours, and lines that overwrite themselves. Never as markup.
 *
 * @module
 */

import { AnsiUp } from "ansi_up";
import { ESCAPE, overwritten } from "./overwritten.ts";

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
  // The policy of the page forbids styles in markup. No text can look like this: its `<` are escaped.
  return ansi.ansi_to_html(visible(lines.join("\n"))).replaceAll('<span style="', '<span data-style="');
}

/** Colours and weights that are no classes: of the 256, of all. */
const STYLES: ReadonlySet<string> = new Set([
  "color",
  "background-color",
  "font-weight",
  "font-style",
  "text-decoration",
  "opacity",
]);

/** Gives the parts of {@link terminalHtml} their styles, once they are in the page. */
export function paint(element: HTMLElement): void {
  for (const part of element.querySelectorAll<HTMLElement>("[data-style]")) {
    const rules = (part.dataset.style ?? "").split(";").map((rule) => rule.split(":").map((word) => word.trim()));
    const styles = new Map(rules.filter(([name = ""]) => STYLES.has(name)).map(([name, value]) => [name!, value!]));
    const back = rgb(styles.get("background-color")) ?? (/-bg\b/.test(part.className) ? null : BACK);
    const text = rgb(styles.get("color")) ?? (styles.has("background-color") ? TEXT : null);
    if (back !== null && text !== null) styles.set("color", `rgb(${readable(text, back).join(", ")})`);
    for (const [name, value] of styles) part.style.setProperty(name, value);
    part.removeAttribute("data-style");
  }
}

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

type Rgb = readonly number[];

/** Colours of the place where outputs are shown. */
const BACK: Rgb = [13, 17, 23];
const TEXT: Rgb = [230, 237, 243];
/** What people with weak eyes need, by WCAG AA. */
const CONTRAST = 4.5;

function rgb(text: string | undefined): Rgb | null {
  const found = /^rgb\(([0-9]+),\s*([0-9]+),\s*([0-9]+)\)$/.exec(text ?? "");
  return found === null ? null : found.slice(1).map(Number);
}

/** The colour itself if it can be read on `back`; else as much nearer to white or black as it takes. */
export function readable(text: Rgb, back: Rgb): Rgb {
  const far = brightness(back) < 0.18 ? 255 : 0;
  for (let part = 0; part < 1; part += 0.1) {
    const mixed = text.map((value) => Math.round(value + (far - value) * part));
    if (contrast(mixed, back) >= CONTRAST) return mixed;
  }
  return [far, far, far];
}

function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [brightness(a), brightness(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** The relative luminance of WCAG. */
function brightness(colour: Rgb): number {
  const [r = 0, g = 0, b = 0] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
