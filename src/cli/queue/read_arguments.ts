/**
 * Reads what follows the words of `queue add`, see `argument_sources.ts`.
 *
 * @module
 */

import { InvalidError } from "../../errors.ts";
import type { InputSource } from "../../operations/sweep.ts";
import { paired } from "../../operations/sweep_words.ts";
import { MARK } from "./argument_sources.ts";

/**
 * The sources. Each file is a source of its own. `:::+` stops at the end of the shorter one.
 * @param words As `splitArguments` gives them. @param lines Reads a file.
 * @throws {InvalidError} If one has no values.
 */
export async function readArguments(
  words: readonly string[],
  lines: (path: string) => Promise<readonly string[]>,
): Promise<InputSource[]> {
  const sources: InputSource[] = [];
  for (let at = 0; at < words.length;) {
    const mark = words[at]!;
    const next = words.findIndex((word, i) => i > at && MARK.test(word));
    const end = next < 0 ? words.length : next;
    const values = words.slice(at + 1, end);
    const [, isFile, isPaired] = MARK.exec(mark)!;
    if (values.length === 0) throw new InvalidError([`Cannot use ${mark} without values: nothing follows it`]);
    const found = isFile === undefined ? [values] : await all(values, lines);
    for (const rows of found.map((source) => source.map((value) => [value]))) {
      const before = isPaired === undefined ? undefined : sources.pop();
      if (isPaired !== undefined && before === undefined) {
        throw new InvalidError([`Cannot use ${mark} as the first source: it goes with the one before it`]);
      }
      sources.push(before === undefined ? rows : paired(before, rows));
    }
    at = end;
  }
  return sources;
}

async function all(
  paths: readonly string[],
  lines: (path: string) => Promise<readonly string[]>,
): Promise<(readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for (const path of paths) {
    const values = await lines(path);
    if (values.length === 0) throw new InvalidError([`Cannot use ${path}: it has no lines`]);
    found.push(values);
  }
  return found;
}
