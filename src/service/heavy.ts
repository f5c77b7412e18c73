/**
 * Requests that hold much in memory, as they hold all of a queue or cluster: few of them work at a time.
 *
 * @module
 */

import type { Context } from "hono";
import { Gate } from "../link/gate.ts";
import { clusterRef, queueRef } from "../operations/refs.ts";
import { listNames, storePaths } from "../store/paths.ts";
import { Room } from "../store/room.ts";
import type { StoreRef } from "../store/store.ts";
import type { Service } from "./service.ts";
import { hostTurns, placeOf, tooMany, Turns } from "./turns.ts";

/** Of each queue or cluster there is one change at a time, as its lock has it anyway, and so many in all. */
const CHANGES = 4;
/** Each takes a session to every host of its cluster, for a few seconds at most. */
const CHECKS = /^\/cluster\/[^/]+\/check$/;
const CHECKING = 4;
/** Questions about all of a queue whose answers nobody keeps. */
const THINKS = /^\/queue\/[^/]+\/(explain|plan|history)$/;
const THINKING = 2;
/** Bytes of files that requests of one crowd hold at once, or the files of one request. */
const ROOM_BYTES = { atWork: 32, hostReaders: 32, hostWorkers: 32, waiters: 256 } as const;
const MIB = 1024 * 1024;
/**
 * Where the process takes so much memory already, requests on large queues work one after the other. Those that wait
 * for hosts or jobs are refused while there is any other.
 */
const NARROW_BYTES = 576 * MIB;
/** A large queue. */
export const LARGE_BYTES = 2 * MIB;
/** Requests that may wait for room in each; none of the long polls does. */
const MOST_WAITING = 128;
/** Stands for the files of all queues. */
const ALL_BYTES = 2 ** 40;

/** The crowds of requests, see `guard.ts`. */
export type CrowdName = "readers" | "workers" | "hostReaders" | "hostWorkers" | "waiters";

/** What a request is about: a queue or a cluster, or all queues of an experiment (`all`), or of all (`everywhere`). */
type About = { readonly type: "queue" | "cluster" | "all"; readonly ref: StoreRef } | { readonly type: "everywhere" };

/** Lets few of those through that hold a whole queue or cluster in memory. */
export class Heavy {
  readonly #service: Service;
  readonly #thinking = new Gate(THINKING);
  readonly #checking = new Gate(CHECKING);
  readonly #changes = new Gate(CHANGES);
  readonly #turns = new Turns();
  /** Requests that hold a large queue or cluster. */
  #large = 0;
  readonly #narrow = new Gate(1);
  readonly #rooms = {
    atWork: new Room(ROOM_BYTES.atWork * MIB),
    hostReaders: new Room(ROOM_BYTES.hostReaders * MIB),
    hostWorkers: new Room(ROOM_BYTES.hostWorkers * MIB),
    waiters: new Room(ROOM_BYTES.waiters * MIB),
  };

  constructor(service: Service) {
    this.#service = service;
  }

  /** Does the work of a request when it is its turn. @throws {Refusal} 503 if too many wait. */
  async pass(c: Context, crowd: CrowdName, work: () => Promise<void>): Promise<void> {
    const about = aboutOf(this.#service, c);
    if (about === null) return await work();
    const held = async () => await this.#hold(crowd, about, work);
    if (THINKS.test(c.req.path)) return await this.#thinking.pass(held);
    const place = about.type === "everywhere" ? "" : placeOf(about.type, about.ref);
    if (crowd === "workers") return await this.#turns.pass(place, () => this.#changes.pass(held));
    if (crowd === "hostWorkers") return await hostTurns.pass(place, held);
    if (CHECKS.test(c.req.path)) return await hostTurns.pass(`check ${place}`, () => this.#checking.pass(held));
    return await held();
  }

  async #hold(crowd: CrowdName, about: About, work: () => Promise<void>): Promise<void> {
    const bytes = await bytesOf(this.#service, about);
    const isAtWork = crowd === "readers" || crowd === "workers";
    const room = this.#rooms[isAtWork ? "atWork" : crowd];
    if ((room.waiting(bytes) ?? -1) >= (crowd === "waiters" ? 0 : MOST_WAITING)) {
      throw tooMany();
    }
    if (bytes <= LARGE_BYTES) return await room.pass(bytes, work);
    await room.pass(bytes, async () => {
      const isNow = isNarrow(this.#service);
      if (isNow && !isAtWork && this.#large > 0) throw tooMany();
      this.#large++;
      try {
        await (isNow && isAtWork ? this.#narrow.pass(work) : work());
      } finally {
        this.#large--;
      }
    });
  }
}

/** True if the process takes much memory already. */
export function isNarrow({ memory }: Service): boolean {
  return memory !== undefined && memory() > NARROW_BYTES;
}

/** What a request is about; null for what holds nothing, and where its words cannot be used: the route says so. */
function aboutOf({ deps }: Service, c: Context): About | null {
  const [, type, word = "", ...rest] = c.req.path.split("/");
  const experiment = c.req.query("experiment");
  try {
    // What is made anew may be there already.
    const name = word === "" ? c.req.query("name") : decodeURIComponent(word);
    if (name === undefined) return null;
    if (type === "queue") {
      return name === "ran" ? { type: "everywhere" } : { type, ref: queueRef(deps, { queue: name, experiment }) };
    }
    if (type !== "cluster") return null;
    const isOfQueues = rest.at(-1) === "status" || rest.at(-1) === "drain";
    return { type: isOfQueues ? "all" : type, ref: clusterRef(deps, { cluster: name, experiment }) };
  } catch {
    return null;
  }
}

/** Bytes of the files that the request will hold. */
async function bytesOf({ deps }: Service, about: About): Promise<number> {
  if (about.type === "everywhere") return ALL_BYTES;
  const { files } = deps;
  const { ref, type } = about;
  const kind = type === "cluster" ? type : "queue";
  const names = type === "all" ? await listNames(deps, ref.directory, kind).catch(() => []) : [ref.name];
  let sum = 0;
  for (const name of names) {
    const { file, journal } = storePaths({ ...ref, name }, kind);
    for (const path of [file, journal]) {
      const stamp = await files.stamp(path).catch(() => null);
      if (stamp?.isDirectory === false) sum += stamp.sizeBytes;
    }
  }
  return sum;
}
