/**
 * Spans of jobs as curves and lanes.
 *
 * @module
 */

const MOST_POINTS = 600;

/** Columns of equal length, by the begin; times in epoch s, `end` null for what runs. */
interface Spans {
  readonly machines: readonly string[];
  readonly begin: readonly number[];
  readonly end: readonly (number | null)[];
  readonly machine: readonly number[];
  readonly failed: readonly number[];
}

/** Which lane each job has: as many lanes for a machine as jobs ran there at once. */
export interface Lanes {
  readonly lane: Int32Array;
  readonly count: number;
  /** The first lane of each machine. */
  readonly titles: readonly (readonly [machine: number, lane: number])[];
  /** Jobs of each lane, by their begin. */
  readonly jobs: readonly (readonly number[])[];
  /** Epoch s of the first begin and the last end. */
  readonly range: readonly [number, number];
}

/** Puts each job into the first lane of its machine that is free when it begins. */
export function lanesOf({ begin, end, machine, machines }: Spans, now: number): Lanes {
  const own: number[][] = machines.map(() => []);
  const place = new Int32Array(begin.length);
  let last = -Infinity;
  for (let i = 0; i < begin.length; i++) {
    const free = own[machine[i]!]!;
    const to = end[i] ?? now;
    let at = free.findIndex((until) => until <= begin[i]!);
    if (at < 0) at = free.length;
    free[at] = Math.max(to, begin[i]!);
    place[i] = at;
    last = Math.max(last, to);
  }
  const firsts: number[] = [];
  let count = 0;
  for (const lanes of own) {
    firsts.push(count);
    count += lanes.length;
  }
  const jobs: number[][] = Array.from({ length: count }, () => []);
  const lane = new Int32Array(begin.length);
  for (let i = 0; i < begin.length; i++) {
    lane[i] = firsts[machine[i]!]! + place[i]!;
    jobs[lane[i]!]!.push(i);
  }
  const first = begin[0] ?? now;
  return {
    lane,
    count,
    titles: firsts.map((at, i) => [i, at] as const),
    jobs,
    range: [first, Math.max(last, first + 1)],
  };
}

/** Jobs for each second are those of so many moments. */
const RATE_MOMENTS = 10;

/**
 * How many were done, failed, and ran, and how many were done in a second, at up to 600 moments from the first begin to
 * now or the last end.
 */
export function countsOver(
  { begin, end, failed }: Spans,
  now: number,
): { times: number[]; done: number[]; failed: number[]; running: number[]; rate: number[] } {
  const first = begin[0] ?? now;
  const isOver = end.every((one) => one !== null);
  const last = isOver ? end.reduce<number>((most, one) => Math.max(most, one!), first) : now;
  const step = Math.max(1, (last - first) / MOST_POINTS);
  const size = Math.max(2, Math.ceil((last - first) / step) + 1);
  const [begun, ended, bad] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  const at = (second: number): number => Math.min(size - 1, Math.max(0, Math.ceil((second - first) / step)));
  for (let i = 0; i < begin.length; i++) {
    begun[at(begin[i]!)]!++;
    const to = end[i];
    if (to === null || to === undefined) continue;
    ended[at(to)]!++;
    if (failed[i] === 1) bad[at(to)]!++;
  }
  const sums = (counts: Float64Array): number[] => {
    let sum = 0;
    return Array.from(counts, (count) => sum += count);
  };
  const [b, e, f] = [sums(begun), sums(ended), sums(bad)];
  return {
    times: Array.from({ length: size }, (_, i) => first + i * step),
    done: e,
    failed: f,
    running: b.map((count, i) => count - e[i]!),
    rate: e.map((count, i) => {
      const from = Math.max(0, i - RATE_MOMENTS);
      return i === 0 ? 0 : (count - e[from]!) / ((i - from) * step);
    }),
  };
}
