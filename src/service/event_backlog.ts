/**
 * What waits to be taken by clients of events: so much for each of them, so much for all. Whoever is beyond is cut off.
 *
 * @module
 */

/** What may wait for a client that is slow, beside what it was sent at first. */
const EACH_BYTES = 1024 * 1024;
/** What may wait for all clients of a service. */
const ALL_BYTES = 64 * 1024 * 1024;

/** The backlogs of all clients of a service. */
export class Backlogs {
  readonly #most: number;
  readonly #open = new Set<Backlog>();
  #bytes = 0;

  constructor(most = ALL_BYTES) {
    this.#most = most;
  }

  /** @param onCut Called when the client is cut off. */
  open(onCut: () => void): Backlog {
    const backlog: Backlog = new Backlog((change) => this.#changed(change), () => {
      this.#open.delete(backlog);
      onCut();
    });
    this.#open.add(backlog);
    return backlog;
  }

  /** Where too much waits, those go for whom most waits. */
  #changed(bytes: number): void {
    this.#bytes += bytes;
    while (this.#bytes > this.#most) {
      let most: Backlog | undefined;
      for (const one of this.#open) if (one.bytes > (most?.bytes ?? 0)) most = one;
      if (most === undefined) return;
      most.end();
    }
  }
}

/** What waits for one client. */
export class Backlog {
  readonly #onChange: (bytes: number) => void;
  readonly #onCut: () => void;
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  #wanted: ((bytes: Uint8Array<ArrayBuffer>) => void) | null = null;
  /** The piece that was taken last; it is with the system only when the next one is asked for. */
  #taken = 0;
  #limit = EACH_BYTES;
  #isOver = false;
  /** Bytes that wait, with those that were taken last. */
  bytes = 0;

  constructor(onChange: (bytes: number) => void, onCut: () => void) {
    this.#onChange = onChange;
    this.#onCut = onCut;
  }

  /** The first piece may be of any size. */
  begin(first: Uint8Array<ArrayBuffer>): void {
    this.#limit += first.length;
    this.add(first);
  }

  /** Adds a piece, which is given to `take` in its turn. */
  add(piece: Uint8Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    if (this.bytes > this.#limit) return this.end();
    this.#waiting.push(piece);
    this.#change(piece.length);
    this.#give();
  }

  /** Resolves with the next piece; never, once it is over. */
  take(): Promise<Uint8Array<ArrayBuffer>> {
    this.#change(-this.#taken);
    this.#taken = 0;
    return new Promise((resolve) => {
      this.#wanted = resolve;
      this.#give();
    });
  }

  /** Nothing waits any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting.length = 0;
    this.#change(-this.bytes);
    this.#onCut();
  }

  #give(): void {
    if (this.#wanted === null) return;
    const piece = this.#waiting.shift();
    if (piece === undefined) return;
    this.#taken = piece.length;
    this.#wanted(piece);
    this.#wanted = null;
  }

  #change(bytes: number): void {
    this.bytes += bytes;
    this.#onChange(bytes);
  }
}
