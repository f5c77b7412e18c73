/**
 * Writes what a job wrote: to a pipe the bytes as they are, to a terminal lines of text without control characters.
 *
 * @module
 */

import { joined } from "../../bytes.ts";
import { LineCutter, shownLine } from "../../output/text_part.ts";
import type { Terminal } from "../io.ts";

const LINE_END = Uint8Array.of(10);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** One file of one job. */
export class OutputWriter {
  readonly #io: Pick<Terminal, "out" | "bytes">;
  readonly #isRaw: boolean;
  readonly #mark: string;
  readonly #cutter: LineCutter | null;
  #isLineOpen = false;

  /** `mark`: what stands before each line; `""` for nothing. */
  constructor(io: Pick<Terminal, "out" | "bytes">, { isRaw, mark }: { isRaw: boolean; mark: string }) {
    this.#io = io;
    this.#isRaw = isRaw;
    this.#mark = mark;
    this.#cutter = isRaw && mark === "" ? null : new LineCutter();
  }

  /** Writes what these bytes complete. Resolves when a pipe has taken it. */
  async take(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#isLineOpen = bytes.at(-1) !== LINE_END[0];
    if (this.#cutter === null) await this.#io.bytes(bytes);
    else await this.#lines(this.#cutter.take(bytes));
  }

  /** Writes what is left. `isClosed`: whatever comes next begins a line of its own. */
  async end({ isClosed = false }: { isClosed?: boolean } = {}): Promise<void> {
    const rest = this.#cutter?.end() ?? new Uint8Array();
    if (rest.length > 0) await this.#lines([rest]);
    else if (isClosed && this.#isLineOpen) await this.#io.bytes(LINE_END);
    this.#isLineOpen = false;
  }

  async #lines(lines: readonly Uint8Array[]): Promise<void> {
    if (lines.length === 0) return;
    if (this.#isRaw) {
      const mark = encoder.encode(this.#mark);
      return await this.#io.bytes(joined(lines.flatMap((line) => [mark, line, LINE_END])));
    }
    this.#io.out(lines.map((line) => `${this.#mark}${shownLine(decoder.decode(line))}\n`).join(""));
  }
}
