/**
 * Reads the jobs of a queue. What was read last is kept in memory as long as the files are the same. A process that is
 * asked for a big queue again and again, as a service is, reads of its files only what was added since.
 *
 * @module
 */

import { CmsError } from "../errors.ts";
import type { Deps, FileStamp } from "../deps.ts";
import type { Jobs } from "./changes.ts";
import { sameStamp, stampOf } from "./lock.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { QueueFeed } from "./queue_feed.ts";
import { openQueue } from "./queue_file.ts";
import type { StoreRef } from "./store.ts";

/** Queues that are kept. */
const MOST = 8;

/** What one process keeps. */
interface Memory {
  readonly queues: Map<string, KeptQueue>;
  /** Until it aborts, changes are followed; null: a queue that has changed is read as a whole. */
  until: AbortSignal | null;
}

const memories = new WeakMap<Deps, Memory>();

/**
 * The jobs in file order, as they are now. Nobody changes what was given.
 * @throws {CmsError} As {@link openQueue}.
 */
export async function readJobs(deps: Deps, ref: StoreRef): Promise<Jobs> {
  const { queues, until } = memoryOf(deps);
  const { file } = storePaths(ref, "queue");
  let kept = queues.get(file);
  if (kept?.experiment !== ref.experiment) {
    kept?.close();
    kept = new KeptQueue(deps, ref);
  }
  // Those that were asked for last stay.
  queues.delete(file);
  queues.set(file, kept);
  if (queues.size > MOST) {
    const [oldest, one] = [...queues][0]!;
    queues.delete(oldest);
    one.close();
  }
  return await kept.read(until?.aborted === false);
}

/** From now on `readJobs` follows the queues that it is asked for again. Their files are closed when `until` aborts. */
export function followReads(deps: Deps, until: AbortSignal): void {
  const memory = memoryOf(deps);
  memory.until = until;
  until.addEventListener("abort", () => {
    for (const kept of memory.queues.values()) kept.close();
    memory.queues.clear();
  }, { once: true });
}

function memoryOf(deps: Deps): Memory {
  const known = memories.get(deps);
  if (known !== undefined) return known;
  const made: Memory = { queues: new Map(), until: null };
  memories.set(deps, made);
  return made;
}

/** One queue that is kept. */
class KeptQueue {
  readonly experiment: string;
  readonly #deps: Deps;
  readonly #ref: StoreRef;
  readonly #paths: StorePaths;
  #stamps: readonly (FileStamp | null)[] = [];
  #jobs: Jobs | null = null;
  #feed: QueueFeed | null = null;
  /** The edition of the feed that `#jobs` is; -1: it is not from the feed. */
  #edition = -1;
  /** Ends when all readings that were asked for are done. */
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(deps: Deps, ref: StoreRef) {
    this.#deps = deps;
    this.#ref = ref;
    this.#paths = storePaths(ref, "queue");
    this.experiment = ref.experiment;
  }

  /** Each reading begins after it was asked for. */
  read(mayFollow: boolean): Promise<Jobs> {
    const reading = this.#last.then(() => this.#read(mayFollow));
    this.#last = reading.catch(() => {});
    return reading;
  }

  /** Closes the journal, after the readings that are under way. */
  close(): void {
    this.#isClosed = true;
    this.#feed?.close();
    void this.#last.then(() => this.#feed?.close());
  }

  async #read(mayFollow: boolean): Promise<Jobs> {
    // Before the reading: what is written in between makes the next look differ.
    const stamps = [
      await stampOf(this.#deps, this.#paths),
      await this.#deps.files.stamp(this.#paths.journal).catch(() => null),
    ];
    if (this.#jobs !== null && this.#stamps.every((stamp, i) => sameStamp(stamp, stamps[i] ?? null))) return this.#jobs;
    const isAskedAgain = this.#jobs !== null;
    const jobs = (isAskedAgain && mayFollow && !this.#isClosed ? await this.#follow() : null) ?? await this.#readAll();
    this.#stamps = stamps;
    this.#jobs = jobs;
    return jobs;
  }

  /** Takes in what was added; null if what the queue is can only be known from the whole. */
  async #follow(): Promise<Jobs | null> {
    this.#feed ??= new QueueFeed(this.#deps, this.#ref);
    try {
      if (await this.#feed.look() === null || !this.#feed.isPlain) return null;
    } catch (error) {
      if (!(error instanceof CmsError)) throw error;
      // Whoever reads it all says what is wrong.
      this.#feed.close();
      this.#feed = null;
      return null;
    } finally {
      if (this.#isClosed) this.#feed?.close();
    }
    if (this.#jobs !== null && this.#edition === this.#feed.edition) return this.#jobs;
    this.#edition = this.#feed.edition;
    return new Map(this.#feed.jobs);
  }

  async #readAll(): Promise<Jobs> {
    this.#jobs = null;
    this.#edition = -1;
    const store = await openQueue(this.#deps, this.#ref);
    try {
      return store.jobs; // A live view of a store that lives no longer.
    } finally {
      store.close();
    }
  }
}
