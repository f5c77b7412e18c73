/**
 * Expandable lists: `job[1-10]`, `red,red[01-04]`. The rules are those of python-hostlist, on which the original program
 * stands, so that a list means here what it means there: no re-padding, the left bracket varies slowest, names that come
 * twice and empty parts are dropped.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";

/** Most names of one range, and of a whole list. */
export const EXPAND_LIMIT = 100_000;

/**
 * Expands a list to its names, in order. The names are not checked against any grammar.
 * @returns Each name once; empty for an empty list.
 * @throws {InvalidError} If brackets or ranges are wrong, or the list has more than {@link EXPAND_LIMIT} names.
 */
export function expand(list: string): string[] {
  const names = new Set<string>();
  for (const part of splitTopLevel(list)) {
    for (const name of expandPart(part, list)) names.add(name);
    if (names.size > EXPAND_LIMIT) fail(list, `it has more than ${EXPAND_LIMIT} names`);
  }
  return copyPrefix([...names]);
}

/**
 * Splits a list at the commas outside brackets; empty parts are dropped, parts that come twice are kept.
 * @throws {InvalidError} If the brackets are nested or do not match.
 */
export function splitTopLevel(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= list.length; at++) {
    const c = list[at];
    if ((c === undefined || c === ",") && depth === 0) {
      if (at > from) parts.push(list.slice(from, at));
      from = at + 1;
    } else if (c === "[") {
      if (++depth > 1) fail(list, "brackets within brackets");
    } else if (c === "]") {
      if (--depth < 0) fail(list, "a bracket is not opened");
    }
  }
  if (depth > 0) fail(list, "a bracket is not closed");
  return parts;
}

/** All names of one part; brackets match. Worked from the right, so that the left bracket varies slowest. */
function expandPart(part: string, list: string): string[] {
  const pieces = part.split(/\[([^\]]*)\]/); // text, ranges, text, ranges, ..., text
  let names = [pieces.at(-1) as string];
  for (let i = pieces.length - 2; i >= 1; i -= 2) {
    const numbers = isAddress(pieces[i] as string) ? [`[${pieces[i]}]`] : expandRanges(pieces[i] as string, list);
    if (numbers.length * names.length > EXPAND_LIMIT) fail(list, `it has more than ${EXPAND_LIMIT} names`);
    const before = pieces[i - 1] as string;
    names = numbers.flatMap((number) => names.map((rest) => before + number + rest));
  }
  return names;
}

/** True for an IPv6 address, which people write in brackets. */
function isAddress(text: string): boolean {
  return text.length <= 80 && text.includes(":") && /^[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?$/.test(text);
}

/** The text between brackets: `1,3` or `08-11,20`. */
function expandRanges(ranges: string, list: string): string[] {
  const numbers: string[] = [];
  for (const range of ranges.split(",")) {
    const match = /^([0-9]+)(?:-([0-9]+))?$/.exec(range);
    if (match === null) fail(list, `${JSON.stringify(range)} is no range; write it as 1-10 or 1,3`);
    const [, low = "", high] = match;
    if (high === undefined) {
      numbers.push(low);
      continue;
    }
    // BigInt: more digits than a number can hold exactly must not make wrong names.
    const first = BigInt(low);
    const count = BigInt(high) - first + 1n;
    if (count < 1n) fail(list, `the range ${range} runs backwards`);
    if (count > EXPAND_LIMIT) fail(list, `the range ${range} has more than ${EXPAND_LIMIT} names`);
    for (let n = 0n; n < count; n++) numbers.push((first + n).toString().padStart(low.length, "0"));
    if (numbers.length > EXPAND_LIMIT) fail(list, `it has more than ${EXPAND_LIMIT} names`);
  }
  return numbers;
}

/** `local:a,b` is `local:a,local:b`: what stands before `:` is copied when only the first name has it. */
function copyPrefix(names: string[]): string[] {
  const first = names[0] ?? "";
  const end = first.indexOf(":");
  // What stands before the colon of an IPv6 address is none of its kind.
  if (end < 0 || first.includes("[") || names.slice(1).some((name) => name.includes(":"))) return names;
  const prefix = first.slice(0, end + 1);
  return names.map((name, i) => i === 0 ? name : prefix + name);
}

function fail(list: string, reason: string): never {
  const shown = list.length > 80 ? `${list.slice(0, 80)}...` : list;
  throw new InvalidError([`Cannot expand ${JSON.stringify(shown)}: ${reason}`]);
}
