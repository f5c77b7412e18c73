/**
 * The watches of a service: one for each directory of queues that somebody looks at, shared by all. A watch ends with
 * its directory, and when nobody has looked for a while: what is not looked at costs nothing.
 *
 * @module
 */

import { Gate } from "../link/gate.ts";
import { findDirectories } from "../operations/find_queues.ts";
import { QueuesWatch, type WatchFiles } from "../operations/watch_queues.ts";
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
/** The directories below the root are searched for queues this often at most. */
const SEARCH_MS = 5_000;
/** Without a stream, a watch that nobody has asked for this long ends; its totals begin at 0 with the next. */
const IDLE_MS = 10 * 60_000;

/** One directory, watched. */
export interface Watched {
  readonly watch: QueuesWatch;
  readonly streams: EventStreams;
  readonly counters: Counters;
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

  private constructor(service: Service) {
    this.#service = service;
    const gate = new Gate(LOOKS);
    const mostOpen = Math.min(MOST_OPEN, Math.floor(service.mostFiles * PART_OPEN));
    this.#files = { pass: (look) => gate.pass(look), mostOpen, open: 0 };
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

  /** Watches of all directories below the root that hold queues. */
  async all(): Promise<Watched[]> {
    const { deps, root } = this.#service;
    if (deps.clock.now() - this.#searchedMs >= SEARCH_MS) {
      this.#searchedMs = deps.clock.now();
      for (const { path, experiment } of await findDirectories(deps, root)) {
        if (this.#watched.size < MOST) this.#at(path, experiment);
      }
    }
    const all = [...this.#watched.values()];
    for (const watched of all) watched.askedMs = deps.clock.now();
    await Promise.all(all.map(({ watch }) => watch.ready));
    await Promise.all(all.map(({ watch }) => watch.look()));
    return all.filter(({ watch }) => !watch.signal.aborted);
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
      askedMs: deps.clock.now(),
    };
    this.#watched.set(directory, made);
    void watch.ended.then(() => {
      if (this.#watched.get(directory) === made) this.#watched.delete(directory);
    });
    return made;
  }
}
