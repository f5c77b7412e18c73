/**
 * Bytes in pieces.
 *
 * @module
 */

/** How many there are in all. */
export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** All the bytes in one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** An array that is full is made so many times larger: little of what came is copied, and little made in vain. */
const GROWTH = 4;

/** Bytes that come in pieces, put together as they come: `most` in all, as far as that is known. */
export class Gathered {
  readonly #most: number;
  #room = new Uint8Array();
  #length = 0;

  constructor(most = Infinity) {
    this.#most = most;
  }

  /** Takes the next piece; it is copied. */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#room.length) {
      const most = length > this.#most ? Infinity : this.#most;
      const grown = new Uint8Array(Math.max(length, Math.min(most, GROWTH * this.#room.length)));
      grown.set(this.bytes);
      this.#room = grown;
    }
    this.#room.set(piece, this.#length);
    this.#length = length;
  }

  /** Bytes that have come. */
  get length(): number {
    return this.#length;
  }

  /** What has come; a view, until the next piece comes. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#room.subarray(0, this.#length);
  }
}
