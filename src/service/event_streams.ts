/**
 * Server-Sent Events for any number of clients: each event is rendered once, and the same bytes go to all. A client
 * that does not take what is sent is cut off; it comes back with `Last-Event-ID` and goes on where it was.
 *
 * @module
 */

import { joined } from "../bytes.ts";
import type { Deps } from "../deps.ts";
import type { WatchedEvent } from "../operations/queue_events.ts";
import type { QueuesWatch } from "../operations/watch_queues.ts";
import { Refusal } from "./errors.ts";
import { type Backlog, Backlogs } from "./event_backlog.ts";

const KEEP_ALIVE_MS = 15_000;
const MOST_CLIENTS = 5_000;

const encoder = new TextEncoder();
const KEEP_ALIVE = encoder.encode(": keep-alive\n\n");

interface Client {
  readonly queue: string | null;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly backlog: Backlog;
  /** Bytes that waited after the last keep-alive. */
  waiting: number;
}

/** The streams of one watch. */
export class EventStreams {
  readonly #deps: Deps;
  readonly #watch: QueuesWatch;
  readonly #stopping: AbortSignal;
  readonly #backlogs: Backlogs;
  readonly #clients = new Set<Client>();
  /** The state of queues as bytes, as long as nothing happens. */
  readonly #states = new Map<string, Uint8Array<ArrayBuffer>>();
  #keepingAlive = false;

  /** @param backlogs Of all clients of the service. */
  constructor(deps: Deps, watch: QueuesWatch, stopping: AbortSignal, backlogs: Backlogs = new Backlogs()) {
    this.#deps = deps;
    this.#backlogs = backlogs;
    this.#watch = watch;
    this.#stopping = stopping;
    watch.subscribe((events) => this.#fan(events));
    stopping.addEventListener("abort", () => this.#endAll(), { once: true });
  }

  /** Clients that are connected. */
  get clients(): number {
    return this.#clients.size;
  }

  /**
   * A stream of events. It begins with what came after `lastId`; where that is not known, with the state of all jobs.
   * @param queue Of this queue alone; null for all.
   * @throws {Refusal} 503 if there are too many streams, or the service ends.
   */
  open(queue: string | null, lastId: string | null): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (this.#clients.size >= MOST_CLIENTS) {
      throw new Refusal(503, "Too many streams of events", { "Retry-After": "10" });
    }
    if (this.#stopping.aborted) throw new Refusal(503, "The service ends");
    let client: Client;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        const backlog = this.#backlogs.open(() => this.#cutOff(client));
        client = { queue, controller: controller as Client["controller"], backlog, waiting: 0 };
        this.#clients.add(client);
        this.#watch.follow();
        backlog.begin(this.#first(queue, lastId));
        client.waiting = backlog.bytes;
        void this.#keepAlive();
      },
      pull: async (controller) => controller.enqueue(await client.backlog.take()),
      cancel: () => this.#forget(client),
    }, { highWaterMark: 0 });
  }

  /** What a client gets at once. The comment makes the reply's head go out even if nothing happens. */
  #first(queue: string | null, lastId: string | null): Uint8Array<ArrayBuffer> {
    const { events, unknown } = lastId === null
      ? { events: [], unknown: [...this.#watch.queues.keys()].filter((name) => queue === null || name === queue) }
      : this.#watch.since(lastId, queue);
    const parts = [
      encoder.encode(`retry: 2000\n: ${this.#watch.experiment}\n\n`),
      ...unknown.map((name) => this.#state(name)),
    ];
    if (events.length > 0) parts.push(this.#render(events));
    return joined(parts);
  }

  /** The event `reset`: forget what you knew of this queue; it stands so. */
  #state(name: string): Uint8Array<ArrayBuffer> {
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const queue = this.#watch.queues.get(name);
    const run = queue?.run?.isRunning === true ? queue.run : null;
    const data = {
      queue: name,
      experiment: this.#watch.experiment,
      run: run === null ? null : { pid: run.pid, hostname: run.hostname, ...run.about },
      jobs: Object.fromEntries(queue?.states ?? []),
    };
    const bytes = encoder.encode(`id: ${this.#watch.lastId}\nevent: reset\ndata: ${JSON.stringify(data)}\n\n`);
    this.#states.set(name, bytes);
    return bytes;
  }

  #render(events: readonly WatchedEvent[]): Uint8Array<ArrayBuffer> {
    return encoder.encode(
      events.map((one) => {
        const { type, ...data } = one.event;
        return `id: ${this.#watch.idOf(one)}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
      }).join(""),
    );
  }

  #fan(events: readonly WatchedEvent[]): void {
    this.#states.clear();
    const rendered = new Map<string | null, Uint8Array<ArrayBuffer>>();
    for (const client of this.#clients) {
      let bytes = rendered.get(client.queue);
      if (bytes === undefined) {
        const own = events.filter(({ event }) => client.queue === null || event.queue === client.queue);
        bytes = own.length === 0 ? new Uint8Array() : this.#render(own);
        rendered.set(client.queue, bytes);
      }
      if (bytes.length > 0) client.backlog.add(bytes);
    }
  }

  #cutOff(client: Client): void {
    this.#clients.delete(client);
    try {
      client.controller.error(new Error("The client is too slow"));
    } catch {
      // It has just gone.
    }
  }

  #forget(client: Client): void {
    this.#clients.delete(client);
    client.backlog.end();
  }

  /** One timer for all clients, as long as there are any. */
  async #keepAlive(): Promise<void> {
    if (this.#keepingAlive) return;
    this.#keepingAlive = true;
    const { clock } = this.#deps;
    while (this.#clients.size > 0 && !this.#stopping.aborted) {
      await clock.sleepUntil(clock.now() + KEEP_ALIVE_MS, this.#stopping);
      if (this.#stopping.aborted) break;
      for (const client of this.#clients) {
        const { bytes } = client.backlog;
        // Nothing was taken since the last time.
        if (bytes > KEEP_ALIVE.length && bytes >= client.waiting) client.backlog.end();
        else client.backlog.add(KEEP_ALIVE);
        client.waiting = client.backlog.bytes;
      }
    }
    this.#keepingAlive = false;
  }

  #endAll(): void {
    for (const client of this.#clients) {
      try {
        client.controller.close();
      } catch {
        // It has just gone.
      }
      this.#forget(client);
    }
  }
}
