/**
 * The watches of a service: one for each directory of queues that somebody looks at, shared by all, for as long as the service
 * lives.
 *
 * @module
 */

import { findDirectories } from "../operations/find_queues.ts";
import { QueuesWatch } from "../operations/watch_queues.ts";
import { Refusal } from "./errors.ts";
import { EventStreams } from "./event_streams.ts";
import { Counters } from "./metrics.ts";
import { experimentAt } from "./places.ts";
import type { Service } from "./service.ts";

/** Each holds a directory open for changes. */
const MOST = 1_000;
/** The directories below the root are searched for queues this often at most. */
const SEARCH_MS = 5_000;

/** One directory, watched. */
export interface Watched {
  readonly watch: QueuesWatch;
  readonly streams: EventStreams;
  readonly counters: Counters;
}

/** All watches of one service. */
export class Watches {
  readonly #service: Service;
  readonly #watched = new Map<string, Watched>();
  #searchedMs = -Infinity;

  private constructor(service: Service) {
    this.#service = service;
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
    await watched.watch.ready;
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
    await Promise.all(all.map(({ watch }) => watch.ready));
    return all;
  }

  #at(directory: string, experiment: string): Watched {
    const known = this.#watched.get(directory);
    if (known !== undefined) return known;
    if (this.#watched.size >= MOST) throw new Refusal(503, "Too many directories are watched");
    const { deps, stopping } = this.#service;
    const watch = new QueuesWatch(deps, { directory, experiment }, stopping);
    const made = { watch, streams: new EventStreams(deps, watch, stopping), counters: new Counters(watch) };
    this.#watched.set(directory, made);
    return made;
  }
}
