/**
 * The inverse of `expand`: `red01, red02, red03` as `red[01-03]`. Pure.
 *
 * @module
 */

/** Longest number that is taken for one. */
const DIGITS = 15;

interface Family {
  readonly before: string;
  readonly after: string;
  readonly numbers: string[];
}

/** Names as a list for people, as short as `expand` reads it; each name once. The order of numbers is theirs. */
export function fold(names: readonly string[]): string {
  const families = new Map<string, Family>();
  for (const name of new Set(names)) {
    const [, before = name, number = "", after = ""] = /^(.*?)([0-9]+)([^0-9]*)$/.exec(name) ?? [];
    const isNumbered = number !== "" && number.length <= DIGITS && !/[[\],]/.test(name);
    const key = isNumbered ? `${before}[${after}` : name;
    const family = families.get(key) ??
      (isNumbered ? { before, after, numbers: [] } : { before: name, after: "", numbers: [] });
    if (isNumbered) family.numbers.push(number);
    families.set(key, family);
  }
  return [...families.values()].map(familyText).join(",");
}

function familyText({ before, after, numbers }: Family): string {
  if (numbers.length === 0) return before;
  if (numbers.length === 1) return `${before}${numbers[0]}${after}`;
  const sorted = numbers.toSorted((a, b) => Number(a) - Number(b) || b.length - a.length);
  const ranges: { low: string; high: string }[] = [];
  for (const number of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && number === String(Number(last.high) + 1).padStart(last.low.length, "0")) {
      last.high = number;
    } else ranges.push({ low: number, high: number });
  }
  const text = ranges.map(({ low, high }) => low === high ? low : `${low}-${high}`).join(",");
  return `${before}[${text}]${after}`;
}
