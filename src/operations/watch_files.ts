/**
 * What watches take of the process together: files that are open, and queues that are kept in memory.
 *
 * @module
 */

import type { QueueFeed } from "../store/queue_feed.ts";

/** What all watches of a process take. */
export interface WatchFiles {
  /** Looks at the files of a directory, when it is its turn. */
  pass<T>(look: () => Promise<T>): Promise<T>;
  /** So many journals may stay open between two looks; each gives then every move in between. */
  readonly mostOpen: number;
  /** So many do. */
  open: number;
  /** Files of the queues whose jobs are kept: so many bytes, or one queue. What is beyond is not watched. */
  readonly mostBytes: number;
  /** So many are. */
  bytes: number;
}

/** What one queue takes of it. */
export class WatchShare {
  readonly #files: WatchFiles;
  readonly #feed: QueueFeed;
  #isOpen = false;
  #bytes = 0;

  constructor(files: WatchFiles, feed: QueueFeed) {
    this.#files = files;
    this.#feed = feed;
  }

  /** The file of the queue has this size now. @returns False if it is too large beside the others. */
  fits(sizeBytes: number): boolean {
    const others = this.#files.bytes - this.#bytes;
    const isRoom = others === 0 || others + sizeBytes <= this.#files.mostBytes;
    this.#bytes = isRoom ? sizeBytes : 0;
    this.#files.bytes = others + this.#bytes;
    return isRoom;
  }

  /** It was looked at: the journal stays open where there is room for one more. */
  looked(): void {
    if (!this.#isOpen && this.#files.open >= this.#files.mostOpen) this.#feed.rest();
    this.#count();
  }

  /** Takes nothing any more. */
  end(): void {
    this.#feed.close();
    this.#count();
    this.#files.bytes -= this.#bytes;
    this.#bytes = 0;
  }

  #count(): void {
    const { isOpen } = this.#feed;
    if (isOpen !== this.#isOpen) this.#files.open += isOpen ? 1 : -1;
    this.#isOpen = isOpen;
  }
}
