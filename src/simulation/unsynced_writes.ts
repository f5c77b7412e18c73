/**
 * What a host wrote and what may not be on its disk yet: a power cut takes some of it.
 *
 * @module
 */

import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** Bytes are on the disk after so long at the latest. */
const FLUSH_MS = 30_000;

/** The last writes of a host. */
export class UnsyncedWrites {
  readonly #parts: { readonly timeline: Timeline; readonly random: Random };
  #dirty: { atMs: number; file: string; undo: () => void }[] = [];

  constructor(parts: { readonly timeline: Timeline; readonly random: Random }) {
    this.#parts = parts;
  }

  /** Notes a write. `file` keeps its own order; files lose what they lose each by itself. */
  add(file: string, undo: () => void): void {
    const { nowMs } = this.#parts.timeline;
    if (this.#dirty.length > 256 && this.#dirty[0]!.atMs < nowMs - FLUSH_MS) {
      this.#dirty = this.#dirty.filter(({ atMs }) => atMs >= nowMs - FLUSH_MS);
    }
    this.#dirty.push({ atMs: nowMs, file, undo });
  }

  /** Power is gone. */
  lose(): void {
    const { random, timeline } = this.#parts;
    const from = new Map<string, number>();
    for (let i = this.#dirty.length - 1; i >= 0; i--) {
      const { atMs, file, undo } = this.#dirty[i]!;
      // What was written to a file after some time is lost, in half of the files nothing.
      if (!from.has(file)) {
        from.set(file, random.chance(0.5) ? Infinity : timeline.nowMs - random.between(0, FLUSH_MS));
      }
      if (atMs >= from.get(file)!) undo();
    }
    this.#dirty = [];
  }
}
