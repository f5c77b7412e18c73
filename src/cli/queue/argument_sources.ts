/**
 * Where the words of `queue add` end and what follows them begins, as GNU parallel has it: `::: VALUE...`,
 * `:::: FILE...`, and `:::+`, `::::+`, which go with the source before them.
 *
 * @module
 */

/** A word that begins a source. */
export const MARK = /^:::(:)?(\+)?$/;

/** The words before the first source, and the sources. */
export function splitArguments(words: readonly string[]): { words: readonly string[]; sources: readonly string[] } {
  const at = words.findIndex((word) => MARK.test(word));
  return at < 0 ? { words, sources: [] } : { words: words.slice(0, at), sources: words.slice(at) };
}
