/**
 * When Slurm is asked how allocations stand: one look for all of a login host, soon after something changed, then less
 * and less often. Pure.
 *
 * @module
 */

/** Pauses between looks while nothing changes. */
export const LOOK_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const;

/** The longest of {@link LOOK_MS}. */
export const LONGEST_LOOK_MS = 30_000;

/** The looks, by login host. */
export class Looks {
  readonly #all = new Map<string, { atMs: number; count: number; isOut: boolean }>();

  /** Something changes: the next look comes soon. */
  soon(login: string, atMs: number): void {
    this.#all.set(login, { atMs, count: 0, isOut: this.#all.get(login)?.isOut ?? false });
  }

  /** An answer is here, or there is none. */
  answered(login: string): void {
    const look = this.#all.get(login);
    if (look !== undefined) look.isOut = false;
  }

  /** Which of these login hosts are to be asked now. Those that are not among them are needed no more. */
  due(logins: Iterable<string>, nowMs: number): string[] {
    const needed = new Set(logins);
    for (const [login, { isOut }] of this.#all) if (!needed.has(login) && !isOut) this.#all.delete(login);
    return [...needed].filter((login) => {
      const look = this.#all.get(login) ?? { atMs: nowMs, count: 0, isOut: false };
      this.#all.set(login, look);
      if (look.isOut || nowMs < look.atMs) return false;
      look.isOut = true;
      look.atMs = nowMs + LOOK_MS[Math.min(look.count++, LOOK_MS.length - 1)]!;
      return true;
    });
  }
}
