/**
 * A stream of bytes read line by line, or in so many bytes.
 *
 * @module
 */

/** No line that is meant is longer: a path has 4,096 bytes at most. */
const LINE_BYTES = 1024 * 1024;

/** Reads ahead as little as the pieces of the stream allow. */
export class ByteReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** Ends the stream here. */
  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }

  /** The next line without its end; null at the end of the stream, and instead of one that is too long. */
  async line(): Promise<string | null> {
    const parts: Uint8Array[] = [];
    for (let bytes = 0; bytes <= LINE_BYTES; bytes += this.#rest.length) {
      const end = this.#rest.indexOf(10);
      if (end >= 0) {
        parts.push(this.#rest.subarray(0, end));
        this.#rest = this.#rest.subarray(end + 1);
        return textOf(parts);
      }
      parts.push(this.#rest);
      if (!await this.#more()) return null;
    }
    return null;
  }

  /** The next bytes, so many at most. @throws {RangeError} If the stream has ended. */
  async some(most: number): Promise<Uint8Array> {
    if (this.#rest.length === 0 && !await this.#more()) throw new RangeError("the stream ended too early");
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  /** So many bytes at once. @throws {RangeError} If the stream ends before. */
  async exactly(bytes: number): Promise<Uint8Array> {
    const all = new Uint8Array(bytes);
    for (let at = 0; at < bytes;) {
      const piece = await this.some(bytes - at);
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  async #more(): Promise<boolean> {
    const { value } = await this.#reader.read().catch(() => ({ value: undefined }));
    this.#rest = value ?? new Uint8Array();
    return value !== undefined && (value.length > 0 || await this.#more());
  }
}

function textOf(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}
