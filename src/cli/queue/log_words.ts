/**
 * The words of `cms queue log`.
 *
 * @module
 */

import type { SelectionOptions } from "./selection.ts";

/** As the grammar gives them. */
export interface LogWords extends SelectionOptions {
  readonly error?: true;
  readonly both?: true;
  readonly states?: true;
  readonly tail?: number;
  readonly head?: number;
  readonly all?: true;
  readonly try?: number;
  readonly follow?: true;
  readonly raw?: true;
}
