/**
 * Puts lines on a full screen, and writes only those that have changed. The terminal's own contents come back at the
 * end.
 *
 * @module
 */

import type { Terminal } from "../io.ts";
import type { Row, Size } from "./layout.ts";

const ESC = "\u001b[";
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}2J`;
const LEAVE = `${ESC}0m${ESC}?25h${ESC}?1049l`;
const TONES = { head: "1", selected: "7", failed: "31", faint: "2" } as const;
const PLAIN_TONES = { ...TONES, failed: "0" } as const;

/** A full screen. */
export class Painter {
  readonly #io: Pick<Terminal, "out">;
  readonly #tones: Readonly<Record<keyof typeof TONES, string>>;
  #shown: string[] = [];
  #size: Size = { rows: 0, columns: 0 };
  #isOpen = false;

  constructor(io: Pick<Terminal, "out">, { isColored }: { isColored: boolean }) {
    this.#io = io;
    this.#tones = isColored ? TONES : PLAIN_TONES;
  }

  /** Draws the rows. */
  draw(rows: readonly Row[], size: Size): void {
    let text = this.#isOpen ? "" : ENTER;
    this.#isOpen = true;
    if (size.rows !== this.#size.rows || size.columns !== this.#size.columns) {
      this.#shown = [];
      text += `${ESC}2J`;
    }
    this.#size = size;
    rows.forEach((row, i) => {
      const line = row.tone === undefined ? row.text : `${ESC}${this.#tones[row.tone]}m${row.text}${ESC}0m`;
      if (this.#shown[i] === line) return;
      this.#shown[i] = line;
      text += `${ESC}${i + 1};1H${line}${ESC}K`;
    });
    if (text !== "") this.#io.out(text);
  }

  /** Gives the screen back. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#io.out(LEAVE);
  }
}
