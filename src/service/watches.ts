/**
 * The watches of a service: one for each directory of queues that somebody looks at, shared by all. A watch ends with
 * its directory, and when nobody has looked for a while: what is not looked at costs nothing.
 *
 * @module
 */

import { Gate } from "../link/gate.ts";
import { findDirectories } from "../operations/find_queues.ts";
import type { WatchFiles } from "../operations/watch_files.ts";
import { QueuesWatch } from "../operations/watch_queues.ts";
import { Refusal } from "./errors.ts";
import { Backlogs } from "./event_backlog.ts";
import { EventStreams } from "./event_streams.ts";
import { Counters } from "./metrics.ts";
import { experimentAt } from "./places.ts";
import type { Service } from "./service.ts";

const MOST = 1_000;
/** So many are looked at at once, as each look opens files. */
const LOOKS = 16;
/** Journals that stay open: so many, or this part of the files that the process may open. */
const MOST_OPEN = 256;
const PART_OPEN = 1 / 16;
/** Files of the queues whose jobs are kept, in bytes: these, or those of one queue. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Who asks for all waits so long; what is not through by then is as it was. */
const PATIENCE_MS = 300;
/** A round that took longer is followed by as much time for others. */
const LONG_MS = 100;
/** The directories below the root are searched for queues this often at most. */
const SEARCH_MS = 5_000;
/** Without a stream, a watch that nobody has asked for this long ends; its totals begin at 0 with the next. */
const IDLE_MS = 10 * 60_000;

/** One directory, watched. */
export interface Watched {
  readonly watch: QueuesWatch;
  readonly streams: EventStreams;
  readonly counters: Counters;
  /** It has been looked at once. */
  isReady: boolean;
  /** When somebody asked for it last. */
  askedMs: number;
}

/** All watches of one service. */
export class Watches {
  readonly #service: Service;
  readonly #watched = new Map<string, Watched>();
  readonly #backlogs = new Backlogs();
  readonly #files: WatchFiles;
  #searchedMs = -Infinity;
  /** The round of looks that is under way, and the one that begins after it. */
  #round: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  /** Before this no round begins. */
  #restedMs = 0;

  private constructor(service: Service) {
    this.#service = service;
    const gate = new Gate(LOOKS);
    const mostOpen = Math.min(MOST_OPEN, Math.floor(service.mostFiles * PART_OPEN));
    this.#files = { pass: (look) => gate.pass(look), mostOpen, open: 0, mostBytes: MOST_BYTES, bytes: 0 };
  }

  static readonly #ofService = new WeakMap<Service, Watches>();

  /** The watches of a service; they end with it. */
  static forService(service: Service): Watches {
    const known = Watches.#ofService.get(service);
    if (known !== undefined) return known;
    const made = new Watches(service);
    Watches.#ofService.set(service, made);
    return made;
  }

  /**
   * The watch of an experiment, made if it is new.
   * @throws {Refusal} 404 if there is no such directory. @throws {InvalidError} If it is not below the served one.
   */
  async of(experiment: string): Promise<Watched> {
    const directory = await experimentAt(this.#service, experiment);
    if ((await this.#service.deps.files.stamp(directory))?.isDirectory !== true) {
      throw new Refusal(404, `Directory ${experiment} does not exist`);
    }
    const watched = this.#at(directory, experiment);
    watched.askedMs = this.#service.deps.clock.now();
    await watched.watch.ready;
    await watched.watch.look();
    return watched;
  }

  /**
   * Watches of all directories below the root that hold queues. Where they are too many to be looked at in a moment,
   * some are as of the last round.
   */
  async all(): Promise<Watched[]> {
    const { clock } = this.#service.deps;
    const done = new AbortController();
    const late = clock.sleepUntil(clock.now() + PATIENCE_MS, done.signal);
    await Promise.race([this.#fresh(), late]).finally(() => done.abort());
    return [...this.#watched.values()].filter(({ watch, isReady }) => isReady && !watch.signal.aborted);
  }

  /** A round that begins now, or after the one that is under way: that may be past what has changed. */
  #fresh(): Promise<void> {
    if (this.#round === null) return this.#begin();
    this.#next ??= this.#round.catch(() => {}).then(() => {
      this.#next = null;
      return this.#begin();
    });
    this.#next.catch(() => {});
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#round = this.#lookAtAll().finally(() => this.#round = null);
    this.#round.catch(() => {});
    return this.#round;
  }

  async #lookAtAll(): Promise<void> {
    const { deps, root } = this.#service;
    const { clock } = deps;
    await clock.sleepUntil(this.#restedMs);
    const startMs = clock.now();
    if (startMs - this.#searchedMs >= SEARCH_MS) {
      const found = (await findDirectories(deps, root)).filter(({ path }) => !this.#watched.has(path));
      for (let i = 0; i < found.length && this.#watched.size < MOST; i += LOOKS) {
        const few = found.slice(i, Math.min(i + LOOKS, i + MOST - this.#watched.size));
        await Promise.all(few.map(({ path, experiment }) => this.#at(path, experiment).watch.ready));
      }
      this.#searchedMs = startMs;
    }
    const all = [...this.#watched.values()];
    for (const watched of all) watched.askedMs = startMs;
    await Promise.all(all.map(({ watch }) => watch.ready.then(() => watch.look())));
    const nowMs = clock.now();
    // Long rounds take no more than half of the time.
    if (nowMs - startMs > LONG_MS) this.#restedMs = nowMs + Math.min(nowMs - startMs, SEARCH_MS);
  }

  #at(directory: string, experiment: string): Watched {
    const known = this.#watched.get(directory);
    if (known !== undefined) return known;
    if (this.#watched.size >= MOST) throw new Refusal(503, "Too many directories are watched");
    const { deps, stopping } = this.#service;
    const watch = new QueuesWatch(deps, { directory, experiment }, stopping, {
      isFollowed: () => made.streams.clients > 0,
      mayEnd: ({ isGone }) => made.streams.clients === 0 && (isGone || deps.clock.now() - made.askedMs > IDLE_MS),
    }, this.#files);
    const made: Watched = {
      watch,
      streams: new EventStreams(deps, watch, watch.signal, this.#backlogs),
      counters: new Counters(watch),
      isReady: false,
      askedMs: deps.clock.now(),
    };
    void watch.ready.then(() => made.isReady = true);
    this.#watched.set(directory, made);
    void watch.ended.then(() => {
      if (this.#watched.get(directory) === made) this.#watched.delete(directory);
    });
    return made;
  }
}
