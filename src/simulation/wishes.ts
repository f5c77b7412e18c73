/**
 * What people want of single jobs beside their command: further tries, an order, a priority, a hold. Drawn in some
 * worlds only.
 *
 * @module
 */

import { type Random, randomOf } from "./random.ts";

/** Fields of a job as `queue add` takes them. */
export interface Wishes {
  readonly retries?: number;
  readonly retry_delay?: string;
  readonly retry_on?: readonly string[];
  readonly after?: readonly string[];
  readonly after_any?: readonly string[];
  readonly after_notok?: readonly string[];
  readonly priority?: number;
  readonly hold?: boolean;
  readonly gpus?: number;
  readonly cpus?: number;
  readonly slots?: number;
}

/** More tries than this are not wished for. */
export const MOST_RETRIES = 2;

/** Wishes by name of job, and how often somebody edits one; null in worlds without. */
export function drawWishes(
  seed: number,
  names: readonly string[],
): { readonly of: ReadonlyMap<string, Wishes>; readonly edits: number } | null {
  const random = randomOf(seed, "wishes");
  if (random.chance(0.65)) return null;
  const [tries, order, priority, hold] = [0.6, 0.6, 0.6, 0.4].map((chance) => random.chance(chance));
  const of = new Map<string, Wishes>();
  for (const [i, name] of names.entries()) {
    of.set(name, {
      ...(tries && random.chance(0.4)
        ? {
          retries: 1 + random.below(MOST_RETRIES),
          ...random.pick([{}, { retry_delay: "1s" }, { retry_delay: "5s" }]),
        }
        : {}),
      ...(order && i > 0 && random.chance(0.4) ? drawOrder(random, names.slice(0, i)) : {}),
      ...(priority && random.chance(0.3) ? { priority: random.below(5) - 2 } : {}),
      ...(hold && random.chance(0.2) ? { hold: true } : {}),
    });
  }
  // By numbers of its own, so that all else stays as it is.
  const lost = randomOf(seed, "lost");
  if (lost.chance(0.5)) {
    const forAll = lost.chance(0.5) ? { retries: MOST_RETRIES, retry_delay: "1s" } : {};
    for (const [name, wishes] of of) {
      const own = { ...forAll, ...wishes };
      if (own.retries !== undefined) of.set(name, { ...own, retry_on: ["exit", "crash", "start", "lost"] });
    }
  }
  return { of, edits: random.below(6) };
}

/** Jobs that it comes after are earlier in the file, so that there are no circles. */
function drawOrder(random: Random, before: readonly string[]): Wishes {
  const some = [...new Set(Array.from({ length: 1 + random.below(2) }, () => random.pick(before)))];
  const field = random.pick(["after", "after", "after_any", "after_notok"] as const);
  return { [field]: some };
}

/** The wishes that name no job but those of `known`. */
export function wishesAmong(wishes: Wishes | undefined, known: ReadonlySet<string>): Wishes {
  return Object.fromEntries(
    Object.entries(wishes ?? {}).flatMap(([field, value]) => {
      if (!Array.isArray(value) || field === "retry_on") return [[field, value]];
      const left = value.filter((name) => known.has(name));
      return left.length === 0 ? [] : [[field, left]];
    }),
  );
}

/** An entry of the file as a person changes it: another priority, held or not, other tries. */
export function editWish(entry: string, random: Random): string {
  const [field, value] = random.pick([
    ["priority", String(random.below(5) - 2)],
    ["hold", random.chance(0.5) ? "true" : null],
    ["retries", String(random.below(MOST_RETRIES + 1))],
  ]);
  const without = entry.replace(new RegExp(`^ {2}${field}: .*\n`, "m"), "");
  return value === null ? without : `${without}  ${field}: ${value}\n`;
}

/** The file without holds. */
export function released(text: string): string {
  return text.replaceAll(/^ {2}hold: true\n/gm, "");
}
