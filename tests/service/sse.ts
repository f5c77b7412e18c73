/**
 * Reads Server-Sent Events of a reply.
 *
 * @module
 */

import { waitUntil } from "../../testing/wait.ts";

/** One event. */
export interface Received {
  readonly id: string;
  readonly type: string;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
}

/** The events of a stream, gathered as they come. */
export class Reading {
  readonly events: Received[] = [];
  /** Why the stream is over; null while it goes on. */
  over: string | null = null;
  readonly #reader: ReadableStreamDefaultReader<string>;

  /** Begins to read. @throws {Error} If the reply is no stream of events. */
  constructor(response: Response) {
    const type = response.headers.get("content-type") ?? "";
    if (response.status !== 200 || !type.startsWith("text/event-stream") || response.body === null) {
      throw new Error(`No stream of events: ${response.status} ${type}`);
    }
    this.#reader = response.body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
      .getReader();
    void this.#read();
  }

  /** `job1 run start` and the like, in order, without resets. */
  get lines(): string[] {
    return this.events.filter(({ type }) => type !== "reset").map(({ type, data }) =>
      type === "job_state" ? `${data.job} ${data.from} ${data.to}` : [type, data.job ?? data.machine].join(" ").trim()
    );
  }

  /** Waits until there is an event for which `is` holds. */
  waitFor(is: (event: Received) => boolean, limitMs = 10_000): Promise<Received> {
    const what = () => `an event; there are ${JSON.stringify(this.events.slice(-5))}, ${this.over}`;
    return waitUntil(what, () => this.events.find(is), { limitMs }) as Promise<Received>;
  }

  /** Ends the reading. */
  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  async #read(): Promise<void> {
    let text = "";
    try {
      for (;;) {
        const { value, done } = await this.#reader.read();
        if (done) break;
        const parts = (text + value).split("\n\n");
        text = parts.pop()!;
        for (const part of parts) this.#take(part);
      }
      this.over = "end";
    } catch (error) {
      this.over = String(error);
    }
  }

  #take(part: string): void {
    const fields = new Map(part.split("\n").map((line) => line.split(/: (.*)/s) as [string, string]));
    const [id, type, data] = [fields.get("id"), fields.get("event"), fields.get("data")];
    if (id !== undefined && type !== undefined && data !== undefined) {
      this.events.push({ id, type, data: JSON.parse(data) });
    }
  }
}
