/**
 * How queues stand, as streams for pages. It is found out and rendered once for all pages that look at a queue, and so
 * seldom that a page gets two messages and 64 KiB in a second at most, whatever happens.
 *
 * Each message says all. A page that comes back with the id of the last one gets nothing until there is another.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { LiveStatus } from "../operations/live_status.ts";
import type { QueueStatus } from "../operations/queue_status.ts";
import type { StoreRef } from "../store/store.ts";
import { Refusal } from "./errors.ts";
import { isNarrow, LARGE_BYTES } from "./heavy.ts";
import type { Service } from "./service.ts";
import { tooMany } from "./turns.ts";

/** Pause between two looks at a queue, and two messages, at least. */
const PAUSE_MS = 500;
const BYTES_PER_S = 64 * 1024;
/** Where nothing happens, rates and times left are still others after a while, and a page hears that all is well. */
const QUIET_MS = 5_000;
const MOST_CLIENTS = 5_000;
/** Each queue that is looked at is kept in memory, with its journal open: so many bytes of files, or one queue. */
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_QUEUES = 256;
const PART_QUEUES = 1 / 16;

const encoder = new TextEncoder();
const HEAD = encoder.encode("retry: 2000\n\n");

/** Makes the data of a message. */
export type Render = (status: QueueStatus) => unknown;

/** The streams of all queues of one service. */
export class LiveQueues {
  readonly #service: Service;
  readonly #queues = new Map<string, LiveQueue>();

  /** Reads nothing yet. */
  constructor(service: Service) {
    this.#service = service;
  }

  /**
   * A stream for one page.
   * @param sizeBytes Of the queue's file. @param lastId The id of the last message that it has; null for none.
   * @throws {Refusal} 503 if there are too many pages, or they look at too many queues, or too large ones.
   */
  open(
    ref: StoreRef,
    { sizeBytes, render, lastId }: { sizeBytes: number; render: Render; lastId: string | null },
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { deps, stopping, mostFiles } = this.#service;
    if (stopping.aborted) throw new Refusal(503, "The service ends");
    const clients = [...this.#queues.values()].reduce((sum, queue) => sum + queue.clients, 0);
    if (clients >= MOST_CLIENTS) throw new Refusal(503, "Too many streams of events", { "Retry-After": "10" });
    const key = `${ref.directory}/${ref.name}`;
    const known = this.#queues.get(key);
    const bytes = [...this.#queues.values()].reduce((sum, queue) => sum + queue.sizeBytes, 0);
    const isFull = this.#queues.size >= Math.min(MOST_QUEUES, mostFiles * PART_QUEUES);
    if (known === undefined && sizeBytes > LARGE_BYTES && isNarrow(this.#service)) throw tooMany();
    if (known === undefined && (isFull || (bytes > 0 && bytes + sizeBytes > MOST_BYTES))) {
      throw new Refusal(503, "Pages look at too many queues, or too large ones", { "Retry-After": "10" });
    }
    const on = { sizeBytes, stopping, onEnd: () => this.#queues.delete(key) };
    const queue = known ?? new LiveQueue(deps, ref, render, on);
    this.#queues.set(key, queue);
    return queue.open(lastId);
  }
}

/** One queue, as long as a page looks at it. */
class LiveQueue {
  /** Of its file, when the first page came. */
  readonly sizeBytes: number;
  readonly #deps: Deps;
  readonly #status: LiveStatus;
  readonly #render: Render;
  readonly #ending = new AbortController();
  readonly #epoch: string;
  readonly #clients = new Set<object>();
  #number = 0;
  #message: Uint8Array<ArrayBuffer> = HEAD;
  #next = Promise.withResolvers<void>();

  constructor(
    deps: Deps,
    ref: StoreRef,
    render: Render,
    on: { sizeBytes: number; stopping: AbortSignal; onEnd: () => void },
  ) {
    this.sizeBytes = on.sizeBytes;
    this.#deps = deps;
    this.#render = render;
    this.#epoch = deps.ids.hex(4);
    this.#status = new LiveStatus(deps, ref);
    const end = () => this.#ending.abort();
    on.stopping.addEventListener("abort", end, { once: true });
    this.#ending.signal.addEventListener("abort", () => {
      on.stopping.removeEventListener("abort", end);
      this.#status.end();
      on.onEnd();
      this.#next.resolve();
    }, { once: true });
    void this.#report().finally(end);
  }

  get clients(): number {
    return this.#clients.size;
  }

  open(lastId: string | null): ReadableStream<Uint8Array<ArrayBuffer>> {
    const client = {};
    let seen = lastId === this.#idOf(this.#number) ? this.#number : 0;
    this.#clients.add(client);
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      // The head goes out even if there is nothing new to say.
      start: (controller) => controller.enqueue(HEAD),
      pull: async (controller) => {
        while (seen === this.#number && !this.#ending.signal.aborted) await this.#next.promise;
        if (this.#ending.signal.aborted) return controller.close();
        seen = this.#number;
        controller.enqueue(this.#message);
      },
      cancel: () => {
        this.#clients.delete(client);
        if (this.#clients.size === 0) this.#ending.abort();
      },
    }, { highWaterMark: 0 });
  }

  /** Makes a message whenever something has happened, and after a while. Ends with the queue. */
  async #report(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#ending;
    let saidMs = -Infinity;
    let wrong: string | null = null;
    while (!signal.aborted) {
      const look = await this.#status.look().catch((error: Error) => error);
      if (signal.aborted || look === "gone") return;
      const why = look instanceof Error ? look.message : null;
      const isOther = why !== wrong;
      wrong = why;
      // A file that is just being saved is none for a moment.
      if (isOther) saidMs = -Infinity;
      if (look === "news" || (!(isOther && why !== null) && clock.now() >= saidMs + QUIET_MS)) {
        if (why === null) this.#tell("status", this.#render(await this.#status.status()));
        else this.#tell("unreadable", { detail: why });
        saidMs = clock.now();
      }
      await clock.sleepUntil(clock.now() + Math.max(PAUSE_MS, this.#message.length * 1000 / BYTES_PER_S), signal);
    }
  }

  #tell(event: "status" | "unreadable", data: unknown): void {
    const id = this.#idOf(++this.#number);
    this.#message = encoder.encode(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  #idOf(number: number): string {
    return `${this.#epoch}-${number}`;
  }
}
