/**
 * Expandable lists: `job[1-10]`, `red,red[01-04]`. The rules are those of python-hostlist, on which the original
 * program stands, so that a list means here what it means there: no re-padding, the left bracket varies slowest, names
 * that come twice and empty parts are dropped.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import { shortened } from "./some_names.ts";

/** Most names of a list, unless the caller says otherwise. */
export const EXPAND_LIMIT = 100_000;
/** Longest name of a list. No name of a job, a host or `user@host` is as long. */
const NAME_LIMIT = 600;

/**
 * Expands a list to its names, in order. The names are not checked against any grammar.
 * @param most Most names, those that come twice counted twice. @param hint What to do about more.
 * @returns Each name once; empty for an empty list.
 * @throws {InvalidError} If brackets or ranges are wrong, or the list has more than `most` names, or longer ones than
 * any name may be. That is known before a name is made.
 */
export function expand(list: string, most: number = EXPAND_LIMIT, hint: string = "split it"): string[] {
  const bound = { most, hint };
  const parts = splitTopLevel(list).map((part) => measurePart(part, list, bound));
  // Bounded before any name is made.
  if (parts.reduce((sum, { count }) => sum + count, 0) > most) tooMany(list, bound);
  const names = new Set<string>();
  for (const part of parts) for (const name of namesOf(part)) names.add(name);
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

/** One range of a bracket: its bounds, and the least width of its numbers. */
interface Range {
  readonly low: bigint;
  readonly count: number;
  readonly width: number;
}

/** A part of a list before its names are made: text, and a bracket's ranges between two texts. */
interface Part {
  readonly texts: readonly string[];
  /** An IPv6 address stands for itself. */
  readonly brackets: readonly (string | readonly Range[])[];
  readonly count: number;
}

/** Most names, and what to do about more. */
interface Bound {
  readonly most: number;
  readonly hint: string;
}

/** Reads one part, whose brackets match, and refuses it if it would have too many names or too long ones. */
function measurePart(part: string, list: string, bound: Bound): Part {
  const pieces = part.split(/\[([^\]]*)\]/); // text, ranges, text, ranges, ..., text
  const texts = pieces.filter((_, i) => i % 2 === 0);
  let length = texts.reduce((sum, text) => sum + text.length, 0);
  let count = 1;
  const brackets: (string | Range[])[] = [];
  for (let i = 1; i < pieces.length; i += 2) {
    if (isAddress(pieces[i]!)) {
      brackets.push(`[${pieces[i]}]`);
      length += pieces[i]!.length + 2;
      continue;
    }
    const { ranges, longest } = readRanges(pieces[i]!, list, bound);
    length += longest;
    count *= ranges.reduce((sum, range) => sum + range.count, 0);
    if (count > bound.most) tooMany(list, bound);
    if (length > NAME_LIMIT) break;
    brackets.push(ranges);
  }
  if (length > NAME_LIMIT) fail(list, `a name of it has more than ${NAME_LIMIT} characters`);
  return { texts, brackets, count };
}

/** Worked from the right, so that the left bracket varies slowest. */
function namesOf({ texts, brackets }: Part): string[] {
  let names = [texts.at(-1)!];
  for (let i = brackets.length - 1; i >= 0; i--) {
    const bracket = brackets[i]!;
    const numbers = typeof bracket === "string" ? [bracket] : bracket.flatMap(numbersOf);
    const longer: string[] = [];
    for (const number of numbers) for (const rest of names) longer.push(texts[i] + number + rest);
    names = longer;
  }
  return names;
}

/** True for an IPv6 address, which people write in brackets. */
function isAddress(text: string): boolean {
  return text.length <= 80 && text.includes(":") && /^[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?$/.test(text);
}

/** The text between brackets: `1,3` or `08-11,20`. */
function readRanges(
  text: string,
  list: string,
  { most, hint }: Bound,
): { ranges: Range[]; longest: number } {
  const ranges: Range[] = [];
  let longest = 0;
  for (const range of text.split(",")) {
    const match = /^([0-9]+)(?:-([0-9]+))?$/.exec(range);
    if (match === null) fail(list, `${JSON.stringify(shortened(range))} is no range; write it as 1-10 or 1,3`);
    const [, low = "", high = low] = match;
    longest = Math.max(longest, low.length, high.length);
    if (longest > NAME_LIMIT) fail(list, `a name of it has more than ${NAME_LIMIT} characters`);
    // BigInt: more digits than a number can hold exactly must not make wrong names.
    const count = BigInt(high) - BigInt(low) + 1n;
    if (count < 1n) fail(list, `the range ${shortened(range)} runs backwards`);
    if (count > most) fail(list, `the range ${shortened(range)} has more than ${most} names; ${hint}`);
    ranges.push({ low: BigInt(low), count: Number(count), width: low.length });
  }
  return { ranges, longest };
}

function numbersOf({ low, count, width }: Range): string[] {
  return Array.from({ length: count }, (_, n) => (low + BigInt(n)).toString().padStart(width, "0"));
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

function tooMany(list: string, { most, hint }: Bound): never {
  fail(list, `it has more than ${most} names; ${hint}`);
}

function fail(list: string, reason: string): never {
  throw new InvalidError([`Cannot expand ${JSON.stringify(shortened(list))}: ${reason}`]);
}
