/**
 * What the grammar library needs of `node:util`: see `../bundle.ts`.
 *
 * @module
 */

/** The texts of the program's grammar hold no control characters. */
export const stripVTControlCharacters = (text: string): string => text;
