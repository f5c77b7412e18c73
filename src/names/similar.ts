/**
 * The word that was meant, if one that is known is spelt nearly the same.
 *
 * @module
 */

/** Longest word that is compared. */
const LONGEST = 40;

/** The nearest of the known words: one or two letters wrong, missing, too many or exchanged; null if none is near. */
export function similar(word: string, known: Iterable<string>): string | null {
  if (word.length > LONGEST) return null;
  let best: string | null = null;
  let least = word.length <= 3 ? 2 : 3;
  for (const candidate of known) {
    const steps = distance(word, candidate);
    if (steps >= least) continue;
    least = steps;
    best = candidate;
  }
  return best;
}

/** How many letters are to be changed, put in, left out or exchanged with their neighbour. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
