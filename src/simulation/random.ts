/**
 * Numbers that follow from a seed. Every part of a world has a stream of its own, so that leaving one thing out (as the
 * search for a shorter trace does) does not change the luck of all others.
 *
 * @module
 */

/** A stream of numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    const a = this.#state;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0, below `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** From `least`, below `most`. */
  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** From `least` (above 0) to `most`, small ones as often as large ones in proportion. */
  logBetween(least: number, most: number): number {
    return least * Math.exp(this.next() * Math.log(most / least));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of a list that is not empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += Math.floor(this.next() * 0x10000).toString(16).padStart(4, "0");
    return text.slice(0, digits);
  }
}

/** A stream that follows from a seed and a name. */
export function randomOf(seed: number, name: string): Random {
  let hash = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return new Random(hash ^ (hash >>> 13));
}

/** A hash of 64 bits in place of SHA-256, which needs turns of the event loop: nobody here forges files. */
export function quickHash(pieces: readonly Uint8Array[]): string {
  let a = 0x9e3779b1;
  let b = 0x85ebca6b;
  for (const bytes of pieces) {
    for (let i = 0; i < bytes.length; i++) {
      const code = bytes[i]!;
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b + code, 0x27d4eb2f) ^ (b >>> 13);
    }
  }
  const hex = (number: number): string => (number >>> 0).toString(16).padStart(8, "0");
  return (hex(a) + hex(b)).repeat(4);
}
