/**
 * What keeps an entry from asking Slurm again and again for what it does not get. Pure.
 *
 * @module
 */

/** A link may take so long at least, before its allocation counts as one that cannot be used. */
export const LEAST_MS = 60_000;

/** Pauses after submits that failed: none after the first. */
const BACK_OFF_MS = [0, 1, 15, 30, 60].map((minutes) => minutes * 60_000);
/** So many failed submits in a row, or allocations that ended before they were linked, pause an entry. */
const MOST_FAILED = 10;
const MOST_UNLINKED = 3;

/** The brakes of one entry. */
export class Brakes {
  /** Nothing is asked for before a person activates it. */
  isPaused = false;
  /** Why the last submit was refused; null if it was not. */
  reason: string | null = null;
  /** Nothing is submitted before. */
  notBeforeMs = 0;
  #failed = 0;
  #unlinked = 0;

  /** A submit was refused. @returns True if the entry is paused now. */
  refused(reason: string, nowMs: number): boolean {
    this.reason = reason;
    this.notBeforeMs = nowMs + (BACK_OFF_MS[this.#failed] ?? BACK_OFF_MS.at(-1)!);
    return this.isPaused ||= ++this.#failed >= MOST_FAILED;
  }

  /** A submit was taken. */
  submitted(): void {
    this.reason = null;
    this.#failed = 0;
  }

  /** A link leads into an allocation. */
  linked(): void {
    this.#unlinked = 0;
  }

  /** An allocation ended before a link led there. @returns How many, if the entry is paused for that now. */
  unlinked(): number | null {
    if (++this.#unlinked < MOST_UNLINKED) return null;
    this.isPaused = true;
    return this.#unlinked;
  }

  /** A person wants to go on. */
  release(): void {
    this.reason = null;
    this.isPaused = false;
    this.notBeforeMs = this.#failed = this.#unlinked = 0;
  }
}
