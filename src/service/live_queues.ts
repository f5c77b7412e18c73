/**
 * How queues stand, as streams for pages. It is found out and rendered once for all pages that look at a queue, and so
 * seldom that a page gets four messages and 64 KiB in a second at most, whatever happens.
 *
 * Each message says all. A page that comes back with the id of the last one gets nothing until there is another.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { LiveStatus } from "../operations/live_status.ts";
import type { QueueStatus } from "../operations/queue_status.ts";
import type { ChangeListener } from "../operations/watch_listeners.ts";
import type { QueuesWatch } from "../operations/watch_queues.ts";
import { Refusal } from "./errors.ts";

/** Pause between two messages at least. */
const PAUSE_MS = 500;
const BYTES_PER_S = 64 * 1024;
/** Where nothing happens, rates and times left are still others after a while, and a page hears that all is well. */
const QUIET_MS = 5_000;
const MOST_CLIENTS = 5_000;

const encoder = new TextEncoder();
const HEAD = encoder.encode("retry: 2000\n\n");

/** Makes the data of a message. */
export type Render = (status: QueueStatus) => unknown;

/** The streams of all queues of one watch. */
export class LiveQueues {
  readonly #deps: Deps;
  readonly #watch: QueuesWatch;
  readonly #directory: string;
  readonly #queues = new Map<string, LiveQueue>();

  constructor(deps: Deps, watch: QueuesWatch, directory: string) {
    this.#deps = deps;
    this.#watch = watch;
    this.#directory = directory;
  }

  /** Pages that are connected. */
  get clients(): number {
    let count = 0;
    for (const queue of this.#queues.values()) count += queue.clients;
    return count;
  }

  /**
   * A stream for one page. @param lastId The id of the last message that it has; null for none.
   * @throws {Refusal} 404 if there is no such queue, 503 if there are too many pages.
   */
  open(name: string, render: Render, lastId: string | null): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (this.clients >= MOST_CLIENTS) throw new Refusal(503, "Too many streams of events", { "Retry-After": "10" });
    if (this.#watch.signal.aborted) throw new Refusal(503, "The service ends");
    const queue = this.#queues.get(name) ?? new LiveQueue(this.#deps, this.#watch, {
      ref: { experiment: this.#watch.experiment, directory: this.#directory, name },
      render,
      onEnd: () => this.#queues.delete(name),
    });
    this.#queues.set(name, queue);
    this.#watch.follow();
    return queue.open(lastId);
  }
}

/** One queue, as long as a page looks at it. */
class LiveQueue implements ChangeListener {
  readonly #deps: Deps;
  readonly #watch: QueuesWatch;
  readonly #name: string;
  readonly #status: LiveStatus;
  readonly #render: Render;
  readonly #ending = new AbortController();
  readonly #epoch: string;
  readonly #clients = new Set<object>();
  #isReporting = false;
  #number = 0;
  #message: Uint8Array<ArrayBuffer> = HEAD;
  #next = Promise.withResolvers<void>();
  #news = new AbortController();

  constructor(
    deps: Deps,
    watch: QueuesWatch,
    { ref, render, onEnd }: { ref: ConstructorParameters<typeof LiveStatus>[1]; render: Render; onEnd: () => void },
  ) {
    this.#deps = deps;
    this.#watch = watch;
    this.#name = ref.name;
    this.#render = render;
    this.#epoch = deps.ids.hex(4);
    this.#status = new LiveStatus(deps, ref);
    const release = watch.followChanges(ref.name, this);
    if (release === null) throw new Refusal(404, "Queue not found");
    const end = () => this.#ending.abort();
    watch.signal.addEventListener("abort", end, { once: true });
    this.#ending.signal.addEventListener("abort", () => {
      watch.signal.removeEventListener("abort", end);
      release();
      onEnd();
      this.#news.abort();
      this.#next.resolve();
    }, { once: true });
    if (watch.signal.aborted) end();
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

  begin(jobs: Parameters<ChangeListener["begin"]>[0]): void {
    this.#status.begin(jobs);
    this.#news.abort();
    if (!this.#isReporting) void this.#report();
  }

  take(changes: Parameters<ChangeListener["take"]>[0]): void {
    this.#status.take(changes);
    this.#news.abort();
  }

  runChanged(): void {
    this.#news.abort();
  }

  gone(): void {
    this.#ending.abort();
  }

  /** Makes a message whenever something has happened, and after a while. */
  async #report(): Promise<void> {
    this.#isReporting = true;
    const { clock } = this.#deps;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      this.#news = new AbortController();
      const run = this.#watch.queues.get(this.#name)?.run ?? null;
      const status = await this.#status.status(run).catch(() => null);
      if (signal.aborted) return;
      if (status !== null) {
        const id = this.#idOf(++this.#number);
        const data = JSON.stringify(this.#render(status));
        this.#message = encoder.encode(`id: ${id}\nevent: status\ndata: ${data}\n\n`);
        this.#next.resolve();
        this.#next = Promise.withResolvers();
      }
      const pauseMs = Math.max(PAUSE_MS, this.#message.length * 1000 / BYTES_PER_S);
      await clock.sleepUntil(clock.now() + pauseMs, signal);
      if (!this.#news.signal.aborted) await clock.sleepUntil(clock.now() + QUIET_MS, this.#news.signal);
    }
  }

  #idOf(number: number): string {
    return `${this.#epoch}-${number}`;
  }
}
