/**
 * What follows the words of `queue add`, as GNU parallel has it: `::: VALUE...`, `:::: FILE...`, and `:::+`, `::::+`,
 * which go with the source before them.
 *
 * @module
 */

import { InvalidError } from "../../errors.ts";
import type { InputSource } from "../../operations/sweep.ts";

const MARK = /^:::(:)?(\+)?$/;

/** The words before the first source, and the sources. */
export function splitArguments(words: readonly string[]): { words: readonly string[]; sources: readonly string[] } {
  const at = words.findIndex((word) => MARK.test(word));
  return at < 0 ? { words, sources: [] } : { words: words.slice(0, at), sources: words.slice(at) };
}

/**
 * The sources. Each file is a source of its own. `:::+` stops at the end of the shorter one, `isLinked` takes all
 * sources together.
 * @param words As {@link splitArguments} gives them.
 * @throws {InvalidError} If one has no values, or the numbers of linked ones differ.
 */
export async function readArguments(
  words: readonly string[],
  { isLinked, lines }: { isLinked: boolean; lines: (path: string) => Promise<readonly string[]> },
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
  return isLinked ? linked(sources) : sources;
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

function paired(before: InputSource, rows: InputSource): InputSource {
  return before.slice(0, rows.length).map((row, i) => [...row, ...rows[i]!]);
}

function linked(sources: readonly InputSource[]): InputSource[] {
  const [first, ...others] = sources;
  if (first === undefined) return [];
  const other = others.find((source) => source.length !== first.length);
  if (other !== undefined) {
    throw new InvalidError([`Cannot link sources: one has ${first.length} values, another ${other.length}`]);
  }
  return [others.reduce(paired, first)];
}
