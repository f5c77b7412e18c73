/**
 * Times in which nothing may start: the queue is paused, hosts are drained or deactivated. In some worlds only, and by
 * numbers of their own, so that all else stays as it is. Here is who draws them, and who says that a start is wrong.
 *
 * @module
 */

import { type Random, randomOf } from "./random.ts";
import type { Fault } from "./scenario.ts";

/** A run looks five times a second, and may wait for a lock and a disk between the look and its decision. */
const NOTICED_MS = 3_000;

/** Pauses and drains of a world, and their ends. */
export function drawStillTimes(
  seed: number,
  scheduler: string,
  { steps, troubleMs }: { readonly steps: number; readonly troubleMs: number },
): Fault[] {
  const random = randomOf(seed, "still times");
  if (steps === 0 || random.chance(0.6)) return [];
  const kinds = scheduler === "fifo"
    ? ["pause"] as const
    : random.pick([["pause"], ["drain"], ["pause", "drain"]] as const);
  return Array.from({ length: 1 + random.below(4) }, () => drawOne(random, random.pick(kinds), troubleMs)).flat();
}

function drawOne(random: Random, kind: "pause" | "drain", troubleMs: number): Fault[] {
  const fromMs = random.between(0, troubleMs);
  const toMs = fromMs + random.logBetween(500, 30_000);
  const dice = [random.next(), random.next()];
  const end: Fault = { atMs: toMs, kind: kind === "pause" ? "resume" : "undrain", dice };
  return [{ atMs: fromMs, kind, dice }, ...toMs < troubleMs ? [end] : []];
}

/** A process as far as it matters here. */
interface Runner {
  /** When it last went on after it was stopped. */
  readonly wentOnMs: number;
}

/** Knows what must not start now. */
export class StillTimes {
  #pausedMs: number | null = null;
  /** Entries that are inactive, and since when; -Infinity: a drain has said that they are empty, and stay so. */
  readonly #closed = new Map<string, number>();
  /** How often an entry was opened: what began before says nothing any more. */
  readonly #openings = new Map<string, number>();

  get isPaused(): boolean {
    return this.#pausedMs !== null;
  }

  /** The file of the pause came, or went. */
  pauseSeen(isThere: boolean, nowMs: number): void {
    this.#pausedMs = isThere ? this.#pausedMs ?? nowMs : null;
  }

  /** Somebody begins to activate these entries, or has ended that. */
  opening(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#closed.delete(id);
      this.#openings.set(id, this.#count(id) + 1);
    }
  }

  /** Somebody begins to close this entry. What this gives is called when it is inactive, or drained. */
  closing(id: string): (change: "inactive" | "drained", nowMs: number) => void {
    const count = this.#count(id);
    return (change, nowMs) => {
      if (this.#count(id) === count) this.#closed.set(id, change === "drained" ? -Infinity : nowMs);
    };
  }

  /** Why the process must not decide on a start in this slot now; null if it may. */
  why({ wentOnMs }: Runner, slot: string | null, nowMs: number): string | null {
    const isKnown = (sinceMs: number): boolean => nowMs - Math.max(sinceMs, wentOnMs) > NOTICED_MS;
    if (this.#pausedMs !== null && isKnown(this.#pausedMs)) return "the queue is paused";
    const closedMs = slot === null ? undefined : this.#closed.get(slot);
    if (closedMs === -Infinity) return `${slot} is drained`;
    return closedMs !== undefined && isKnown(closedMs) ? `${slot} is inactive` : null;
  }

  #count(id: string): number {
    return this.#openings.get(id) ?? 0;
  }
}
