/**
 * Tables with `+---+` frames: one blank of padding, left aligned, as in the user's document.
 *
 * A cell wider than 48 columns is wrapped at blanks, a line end in it begins a continuation row. A word is never
 * broken, so that what is copied from a table is what stands in the file.
 *
 * @module
 */

import { printable } from "./printable.ts";

/** Widest line of a cell that can be wrapped. */
export const CELL_WIDTH = 48;

const ASCII = /^[\x20-\x7e]*$/;

/** Columns of a text on the screen. */
type Width = (text: string) => number;

/** Called after some rows: others may have their turn. */
export type Pace = () => Promise<void>;

/** Rows between two calls of a {@link Pace}. */
export const ROWS_AT_ONCE = 100;

/**
 * Renders rows under a header; ends with a line end.
 * @param rows Cells of each row, one for each title.
 * @returns The table; `None` if there are no rows.
 */
export async function renderTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  pace?: Pace,
): Promise<string> {
  if (rows.length === 0) return "None\n";
  const all = [titles, ...rows];
  const isPlain: boolean[] = [];
  for (const [i, row] of all.entries()) {
    if (i % ROWS_AT_ONCE === 0) await pace?.();
    isPlain.push(row.every(isPlainCell));
  }
  const width = await widthFor(all.filter((_, i) => !isPlain[i]));
  const widths = titles.map(() => 0);
  // The cells of a row that is one line need no lists of lines: of a long table nearly all are.
  const folded: (readonly (readonly string[])[] | null)[] = [];
  for (const [i, row] of all.entries()) {
    if (i % ROWS_AT_ONCE === 0) await pace?.();
    const lines = isPlain[i] ? null : row.map((text) => cellLines(text, width));
    folded.push(lines);
    for (let column = 0; column < titles.length; column++) {
      const cell = lines === null ? (row[column] ?? "").length : Math.max(0, ...(lines[column] ?? []).map(width));
      if (cell > widths[column]!) widths[column] = cell;
    }
  }
  const frame = `+${widths.map((w) => "-".repeat(w + 2)).join("+")}+\n`;
  const texts: string[] = [];
  for (const [i, row] of folded.entries()) {
    if (i % ROWS_AT_ONCE === 0) await pace?.();
    texts.push(row === null ? plainRow(all[i]!, widths) : renderRow(row, widths, width));
  }
  const [header = "", ...body] = texts;
  return frame + header + frame + body.join("") + frame;
}

function isPlainCell(text: string): boolean {
  return text.length <= CELL_WIDTH && ASCII.test(text);
}

function plainRow(row: readonly string[], widths: readonly number[]): string {
  let text = "|";
  for (let column = 0; column < row.length; column++) text += ` ${row[column]!.padEnd(widths[column] ?? 0)} |`;
  return text + "\n";
}

function renderRow(row: readonly (readonly string[])[], widths: readonly number[], width: Width): string {
  const height = Math.max(...row.map((lines) => lines.length));
  let text = "";
  for (let i = 0; i < height; i++) {
    text += "|";
    for (const [column, lines] of row.entries()) {
      const line = lines[i] ?? "";
      text += ` ${line}${" ".repeat((widths[column] ?? 0) - width(line))} |`;
    }
    text += "\n";
  }
  return text;
}

/** The lines of a cell; at least one. */
function cellLines(text: string, width: Width): string[] {
  if (isPlainCell(text)) return [text];
  return text.split("\n").flatMap((line) => wrap(printable(line), width));
}

/** Breaks at the last blank that fits; the blank at the break is dropped, all others are kept. */
function wrap(line: string, width: Width): string[] {
  if (width(line) <= CELL_WIDTH) return [line];
  const lines: string[] = [];
  let present = "";
  for (const word of line.split(" ")) {
    const longer = present === "" ? word : `${present} ${word}`;
    if (present.trim() !== "" && width(longer) > CELL_WIDTH) {
      lines.push(present);
      present = word;
    } else present = longer;
  }
  lines.push(present);
  return lines;
}

/**
 * Wide characters are counted by a package that takes longer to load than all of a short command: only where it is
 * needed.
 */
async function widthFor(rows: readonly (readonly string[])[]): Promise<Width> {
  // deno-lint-ignore no-control-regex
  if (rows.every((row) => row.every((text) => /^[\x00-\x7f]*$/.test(text)))) return (text) => text.length;
  const { default: stringWidth } = await import("string-width");
  return (text) => ASCII.test(text) ? text.length : stringWidth(text);
}
