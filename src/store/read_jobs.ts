/**
 * Reads the jobs of a queue. What was read last is kept in memory as long as the files are the same. A process that is
 * asked for a big queue again and again, as a service is, follows it: of its files it reads only what was added since.
 *
 * @module
 */

import { CmsError } from "../errors.ts";
import type { Deps, FileStamp } from "../deps.ts";
import { type ChangeListener, ChangeListeners } from "./change_listeners.ts";
import type { Jobs } from "./changes.ts";
import { sameStamp, stampOf } from "./lock.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { type FeedChange, QueueFeed } from "./queue_feed.ts";
import { openQueue } from "./queue_file.ts";
import { Room } from "./room.ts";
import type { StoreRef } from "./store.ts";

/** Queues that are kept, beside those that somebody listens to: so many, and so many bytes of files, or one. */
const MOST = 8;
const MOST_BYTES = 32 * 1024 * 1024;
/** Files that are read at once, in bytes, or those of one queue. */
const ROOM_BYTES = 32 * 1024 * 1024;

/** What one process keeps. */
interface Memory {
  readonly queues: Map<string, KeptQueue>;
  readonly room: Room;
  /** Until it aborts, queues are followed; null: a queue that has changed is read as a whole. */
  until: AbortSignal | null;
}

const memories = new WeakMap<Deps, Memory>();

/**
 * The jobs in file order, as they are now. Nobody changes what was given.
 * @throws {CmsError} As {@link openQueue}.
 */
export async function readJobs(deps: Deps, ref: StoreRef): Promise<Jobs> {
  const kept = keptQueue(deps, ref);
  return await kept.read().finally(() => forget(deps, kept));
}

/**
 * The same, but what is given changes with a queue that is followed: for who uses it at once, or needs no more than one
 * look at each job. It spares a copy of the map. @throws {CmsError} As {@link openQueue}.
 */
export async function liveJobs(deps: Deps, ref: StoreRef): Promise<Jobs> {
  const kept = keptQueue(deps, ref);
  return await kept.live().finally(() => forget(deps, kept));
}

/** True if the queue was read, so that reading it again takes little. */
export function isRead(deps: Deps, ref: StoreRef): boolean {
  return memoryOf(deps).queues.get(storePaths(ref, "queue").file)?.isKnown === true;
}

/** From now on `readJobs` follows queues. Their files are closed when `until` aborts. */
export function followReads(deps: Deps, until: AbortSignal): void {
  const memory = memoryOf(deps);
  memory.until = until;
  until.addEventListener("abort", () => {
    for (const kept of memory.queues.values()) kept.close();
    memory.queues.clear();
  }, { once: true });
}

/** A queue that is listened to. */
export interface Listening {
  /** Tells the listener of what has happened. @returns False if there is no such queue. @throws {CmsError} */
  look(): Promise<boolean>;
  /** Why the queue could not be read at the last look, where that may be for a moment only. */
  trouble(): CmsError | null;
  /** The listener hears no more. */
  end(): void;
}

/** Has `listener` hear of each change of a queue, whoever looks at it: after {@link followReads} only. */
export function listenTo(deps: Deps, ref: StoreRef, listener: ChangeListener): Listening {
  const kept = keptQueue(deps, ref);
  kept.listeners.add(listener);
  const end = (): void => {
    kept.listeners.delete(listener);
    // What was only listened to has no size by which it could be kept.
    if (kept.listeners.size > 0 || kept.isRead) return;
    const { queues } = memoryOf(deps);
    const { file } = storePaths(ref, "queue");
    if (queues.get(file) === kept) queues.delete(file);
    kept.close();
  };
  return { look: () => kept.look(), trouble: () => kept.trouble, end };
}

function memoryOf(deps: Deps): Memory {
  const known = memories.get(deps);
  if (known !== undefined) return known;
  const made: Memory = { queues: new Map(), room: new Room(ROOM_BYTES), until: null };
  memories.set(deps, made);
  return made;
}

function keptQueue(deps: Deps, ref: StoreRef): KeptQueue {
  const { queues, room, until } = memoryOf(deps);
  const { file } = storePaths(ref, "queue");
  let kept = queues.get(file);
  if (kept?.experiment !== ref.experiment) {
    kept?.close();
    kept = new KeptQueue(deps, ref, { room, isFollowed: until?.aborted === false });
  }
  // Those that were asked for last stay.
  queues.delete(file);
  queues.set(file, kept);
  forget(deps, kept);
  return kept;
}

/** Closes those that were asked for longest ago, where too much is kept beside this one. */
function forget(deps: Deps, but: KeptQueue): void {
  const { queues } = memoryOf(deps);
  const others = [...queues].filter(([, one]) => one !== but && one.listeners.size === 0);
  let bytes = others.reduce((sum, [, one]) => sum + one.bytes, but.bytes);
  for (const [path, one] of others) {
    if (queues.size <= MOST && bytes <= MOST_BYTES) break;
    queues.delete(path);
    one.close();
    bytes -= one.bytes;
  }
}

/** One queue that is kept. */
class KeptQueue {
  readonly experiment: string;
  readonly listeners: ChangeListeners;
  readonly #deps: Deps;
  readonly #ref: StoreRef;
  readonly #paths: StorePaths;
  readonly #room: Room;
  readonly #isFollowed: boolean;
  readonly #feed: QueueFeed;
  #stamps: readonly (FileStamp | null)[] = [];
  /** null: nobody has asked for what does not change. */
  #jobs: Jobs | null = null;
  #isRead = false;
  /** The edition of the feed that `#jobs` is; -1: it is not from the feed. */
  #edition = -1;
  /** Ends when all readings that were asked for are done. */
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** Touches no file. */
  constructor(deps: Deps, ref: StoreRef, { room, isFollowed }: { room: Room; isFollowed: boolean }) {
    this.#deps = deps;
    this.#room = room;
    this.#ref = ref;
    this.#paths = storePaths(ref, "queue");
    this.#isFollowed = isFollowed;
    this.#feed = new QueueFeed(deps, ref);
    this.experiment = ref.experiment;
    this.listeners = new ChangeListeners(this.#feed);
  }

  /** Bytes of the files that were read last. */
  get bytes(): number {
    return sumOf(this.#stamps);
  }

  get isRead(): boolean {
    return this.#isRead;
  }

  /** True if the next reading takes little. */
  get isKnown(): boolean {
    return this.#isRead || this.#feed.isPlain;
  }

  /** Each reading begins after it was asked for. */
  read(): Promise<Jobs> {
    return this.#inTurn(() => this.#read(true));
  }

  /** The same, of what changes. */
  live(): Promise<Jobs> {
    return this.#inTurn(() => this.#read(false));
  }

  get trouble(): CmsError | null {
    return this.#feed.trouble;
  }

  /** Takes in what was added, for those who listen. @returns False if there is no such queue. */
  look(): Promise<boolean> {
    return this.#inTurn(async () => await this.#look() !== null);
  }

  /** Closes the journal, after the readings that are under way. */
  close(): void {
    this.#isClosed = true;
    void this.#last.then(() => this.#feed.close());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #read(isCopy: boolean): Promise<Jobs> {
    // Before the reading: what is written in between makes the next look differ.
    const stamps = [
      await stampOf(this.#deps, this.#paths),
      await this.#deps.files.stamp(this.#paths.journal).catch(() => null),
    ];
    if (this.#jobs !== null && this.#stamps.every((stamp, i) => sameStamp(stamp, stamps[i] ?? null))) return this.#jobs;
    return await this.#room.pass(sumOf(stamps), async () => {
      const jobs = (this.#isFollowed && !this.#isClosed ? await this.#follow(isCopy) : null) ?? await this.#readAll();
      this.#stamps = stamps;
      this.#isRead = true;
      return jobs;
    });
  }

  async #look(): Promise<FeedChange[] | null> {
    let heard: FeedChange[] | null = null;
    try {
      return heard = await this.#feed.look();
    } finally {
      this.listeners.looked(heard);
      if (this.#isClosed) this.#feed.close();
    }
  }

  /** The jobs as followed; null if what the queue is can only be known from the whole. */
  async #follow(isCopy: boolean): Promise<Jobs | null> {
    try {
      if (await this.#look() === null || !this.#feed.isPlain) return null;
    } catch (error) {
      if (!(error instanceof CmsError)) throw error;
      return null; // Whoever reads it all says what is wrong.
    }
    if (this.#jobs !== null && this.#edition === this.#feed.edition) return this.#jobs;
    // What was copied before is no longer what the files say.
    this.#jobs = null;
    if (!isCopy) return this.#feed.jobs;
    this.#edition = this.#feed.edition;
    return this.#jobs = new Map(this.#feed.jobs);
  }

  async #readAll(): Promise<Jobs> {
    this.#jobs = null;
    this.#isRead = false;
    this.#edition = -1;
    const store = await openQueue(this.#deps, this.#ref);
    try {
      return this.#jobs = store.jobs; // A live view of a store that lives no longer.
    } finally {
      store.close();
    }
  }
}

function sumOf(stamps: readonly (FileStamp | null)[]): number {
  return stamps.reduce((sum, stamp) => sum + (stamp?.sizeBytes ?? 0), 0);
}
