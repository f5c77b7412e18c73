/**
 * Checks that several operations share. Each gives its problem as one line, so that a request can name all that is
 * wrong with it at once.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";

/** Most problems that an answer names. */
const MOST = 100;

/** Collects the problems of a request. */
export class Problems {
  readonly #found: string[] = [];

  /**
   * Calls `check`, takes the problems of an `InvalidError` in, each after `where`, and gives its result or undefined.
   */
  take<T>(check: () => T, where = ""): T | undefined {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      for (const problem of error.problems) this.#found.push(where + problem);
      return undefined;
    }
  }

  /** Notes a problem if `wrong`. */
  note(wrong: boolean, problem: string): void {
    if (wrong) this.#found.push(problem);
  }

  /** @throws {InvalidError} If anything was found. */
  throwIfAny(): void {
    if (this.#found.length === 0) return;
    const all = [...new Set(this.#found)];
    const more = all.length > MOST ? [`and ${all.length - MOST} more problems`] : [];
    throw new InvalidError([...all.slice(0, MOST), ...more]);
  }
}

/** The value, or undefined if it is empty: `--gpu=` means no gpu. */
export function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

/** True if the text holds a control character, a line end among them. */
export function hasControl(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /[\u0000-\u001f\u007f-\u009f]/.test(text);
}
