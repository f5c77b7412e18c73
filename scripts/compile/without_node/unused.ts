/**
 * For modules of Node that the grammar library imports for what the program does not use (commands in files of their
 * own): see `../bundle.ts`.
 *
 * @module
 */

/** Nothing. */
export default {};
