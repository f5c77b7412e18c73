/**
 * Room for queues in memory, by the size of their files: any number of small ones, few large ones at a time.
 *
 * @module
 */

/** Smaller ones are not counted: who asks for them is bounded otherwise. */
const SMALL_BYTES = 64 * 1024;
/** Larger ones, as a part of all, have room of their own, so that others need not wait for them. */
const LARGE_PART = 1 / 16;

/** Lets work in, in order of arrival, as long as all that it holds is below a bound, or it is alone. */
export class Room {
  readonly #most: number;
  readonly #others: Lane;
  readonly #large: Lane;

  /** @param most Bytes of files that are held at once; as much again for those that are large. */
  constructor(most: number) {
    this.#most = most;
    this.#others = new Lane(most);
    this.#large = new Lane(most);
  }

  /** Work that waits before one that would hold so much; null if that need not wait. */
  waiting(bytes: number): number | null {
    return bytes <= SMALL_BYTES ? null : this.#lane(bytes).waiting(bytes);
  }

  /** Does `work`, which holds so many bytes of files, when there is room. */
  async pass<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    return bytes <= SMALL_BYTES ? await work() : await this.#lane(bytes).pass(bytes, work);
  }

  #lane(bytes: number): Lane {
    return bytes > this.#most * LARGE_PART ? this.#large : this.#others;
  }
}

class Lane {
  readonly #most: number;
  readonly #queue: { readonly bytes: number; readonly go: () => void }[] = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  waiting(bytes: number): number | null {
    return this.#queue.length === 0 && this.#fits(bytes) ? null : this.#queue.length;
  }

  async pass<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.waiting(bytes) === null) this.#bytes += bytes;
    else await new Promise<void>((go) => this.#queue.push({ bytes, go }));
    try {
      return await work();
    } finally {
      this.#bytes -= bytes;
      for (let next = this.#queue[0]; next !== undefined && this.#fits(next.bytes); next = this.#queue[0]) {
        this.#queue.shift();
        // Whoever comes now must not take its room.
        this.#bytes += next.bytes;
        next.go();
      }
    }
  }

  #fits(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#most;
  }
}
