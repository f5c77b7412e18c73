/**
 * A gate that lets a number of callers through at once, in order of arrival. Handshakes wait at it: a machine's sshd
 * turns away more than about ten of them (MaxStartups), and each costs the manager some 50 ms of CPU.
 *
 * @module
 */

/** Lets at most `places` callers be inside. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** True if nobody is inside and nobody waits. @param places As given to the constructor. */
  isEmpty(places: number): boolean {
    return this.#free === places && this.#waiting.length === 0;
  }

  /** Calls `work` when there is a place; gives its result. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The place goes straight to the next: nobody who comes now can take it away.
      if (next !== undefined) next();
      else this.#free++;
    }
  }
}
