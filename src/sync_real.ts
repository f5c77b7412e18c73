/**
 * How little is made durable: in place or by a thread, whichever is sooner done.
 *
 * A disk with a cache syncs in less time than the way through a thread takes, so that it is done in place. One that was
 * slow twice in a row gets the thread for a while, in which the program goes on with other things; after that it is
 * tried in place again, and where it is slow still it gets the thread for twice as long. Once is no sign, as each disk
 * takes long now and then, and the way through a thread is long where much else goes on.
 *
 * @module
 */

/** In place it may take so long. */
const QUICK_SYNC_MS = 5;
const SLOW_IN_ROW = 2;
/** So many go by the thread. */
const BY_THREAD = { first: 20, most: 640 };

/** Makes files durable to which little was written. */
export class SmallSyncs {
  readonly #now: () => number;
  #byThread = 0;
  #nextByThread = BY_THREAD.first;
  #slowInRow = 0;

  /** @param now A clock that does not step, ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Makes the data of a file durable. */
  async sync(file: Pick<Deno.FsFile, "syncData" | "syncDataSync">): Promise<void> {
    if (this.#byThread > 0) {
      this.#byThread--;
      return await file.syncData();
    }
    const startMs = this.#now();
    file.syncDataSync();
    if (this.#now() - startMs <= QUICK_SYNC_MS) {
      this.#slowInRow = 0;
      this.#nextByThread = BY_THREAD.first;
    } else if (++this.#slowInRow >= SLOW_IN_ROW) {
      this.#byThread = this.#nextByThread;
      this.#nextByThread = Math.min(2 * this.#nextByThread, BY_THREAD.most);
    }
  }
}
