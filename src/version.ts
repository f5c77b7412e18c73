/**
 * The program's version.
 *
 * @module
 */

/** Semantic version of the program; the changelog has what each brought. */
export const VERSION = "0.1.0";
