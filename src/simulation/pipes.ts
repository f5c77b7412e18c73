/**
 * Pipes of a simulated process: as much of a stream as the program uses, without the machinery of real ones.
 *
 * @module
 */

/** What the reader of a pipe gets. */
type Read = { done: boolean; value: Uint8Array | undefined };

/** A pipe that the program reads. */
export class ReadPipe {
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #waiting: ((read: Read) => void) | null = null;

  /** As the type of `Child.stdout`; only `read()` and `cancel()` of a reader may be used. */
  get stream(): ReadableStream<Uint8Array> {
    const reader = {
      read: () => this.#read(),
      cancel: () => {
        this.end();
        return Promise.resolve();
      },
    };
    return { getReader: () => reader } as unknown as ReadableStream<Uint8Array>;
  }

  /** A real stream, for readers that do more with it. */
  get whole(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await this.#read();
        if (done) controller.close();
        else controller.enqueue(value!);
      },
      cancel: () => this.end(),
    }, { highWaterMark: 0 });
  }

  push(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (this.#waiting !== null) this.#answer({ done: false, value: bytes });
    else this.#chunks.push(bytes);
  }

  end(): void {
    this.#ended = true;
    if (this.#waiting !== null) this.#answer({ done: true, value: undefined });
  }

  #answer(read: Read): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.(read);
  }

  #read(): Promise<Read> {
    const value = this.#chunks.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting = resolve);
  }
}

/** What takes the bytes that the program writes. */
export interface Sink {
  /** Resolves when the bytes are taken; rejects if nobody is left to take them. */
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}

/**
 * As the type of `Child.stdin`; only `close()` and `getWriter()` with `write`, `close`, `abort`, `closed` may be used.
 */
export function writePipe(sink: Sink): WritableStream<Uint8Array> {
  const close = (): Promise<void> => {
    sink.close();
    return Promise.resolve();
  };
  const writer = {
    write: (bytes: Uint8Array) => sink.write(bytes),
    close,
    abort: () => Promise.resolve(),
    closed: new Promise<void>(() => {}),
  };
  return { getWriter: () => writer, close } as unknown as WritableStream<Uint8Array>;
}
