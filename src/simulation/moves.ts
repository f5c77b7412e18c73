/**
 * Moves of jobs from state to state, as the journal has them.
 *
 * @module
 */

/** The moves of docs/formats.md, written down a second time. */
const MOVES: Readonly<Record<string, readonly string[]>> = {
  undefined: ["ready", "run", "fail_start"],
  ready: ["undefined", "run", "fail_start"],
  run: ["start", "end", "kill", "crash", "fail_start", "undefined", "ready"],
  start: ["end", "kill", "crash"],
  end: ["undefined", "ready"],
  kill: ["undefined", "ready"],
  fail_start: ["undefined", "ready"],
  crash: ["undefined", "ready", "start", "end", "kill"],
};

/** Which moves there were. */
export class Moves {
  /** By job id: the state that was written last, and the number of the attempt that it is of. */
  readonly #last = new Map<string, { readonly status: string; readonly attempt: unknown }>();

  /** True if this is what was written last of the job: nothing is new. @param attempt Missing: the same as before. */
  isKnown(id: string, to: string, attempt: unknown): boolean {
    const last = this.#last.get(id);
    return last?.status === to && (attempt ?? last.attempt) === last.attempt;
  }

  /** Takes in a move. @returns What is wrong with it; null if nothing is. */
  wrong(id: string, { from, to, attempt }: { from: string; to: string; attempt: unknown }): string | null {
    this.#last.set(id, { status: to, attempt: attempt ?? this.#last.get(id)?.attempt });
    return MOVES[from]?.includes(to) === true ? null : `moves from ${from} to ${to}`;
  }
}
