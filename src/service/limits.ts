/**
 * Bounds of what one request, and all together, may take.
 *
 * @module
 */

import type { Clock } from "../deps.ts";
import { Refusal } from "./errors.ts";

/** Most bytes of a request's body: ten thousand jobs and more. */
export const BODY_BYTES = 16 * 1024 * 1024;
/** How long a body may take to come. */
const BODY_MS = 30_000;
const HEADERS = 64;
const HEADER_BYTES = 16 * 1024;
const TARGET_BYTES = 16 * 1024;

/** Methods that a `Request` cannot be made with again, and that nothing here answers. */
const NEVER = ["CONNECT", "TRACE", "TRACK"];

/** Refuses a request whose method is none for here, or whose address or headers are too big. */
export function checkHead(request: Request): void {
  if (NEVER.includes(request.method.toUpperCase())) throw new Refusal(405, "Method Not Allowed");
  if (request.url.length > TARGET_BYTES) throw new Refusal(414, "The address is too long");
  let count = 0;
  let bytes = 0;
  for (const [name, value] of request.headers) {
    count++;
    bytes += name.length + value.length;
  }
  if (count > HEADERS || bytes > HEADER_BYTES) throw new Refusal(431, "Too many headers, or too long ones");
}

/** Reads a body whole. @throws {Refusal} If it is too big or too slow. */
export async function readBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  clock: Clock,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  const done = new AbortController();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const late = clock.sleepUntil(clock.now() + BODY_MS, done.signal).then(() => null);
  try {
    while (true) {
      const next = await Promise.race([reader.read(), late]);
      if (next === null) throw new Refusal(408, "The body did not come in time", { Connection: "close" });
      if (next.done) return new Uint8Array(await new Blob(parts).arrayBuffer());
      bytes += next.value.length;
      if (bytes > BODY_BYTES) {
        throw new Refusal(413, `The body is longer than ${BODY_BYTES} bytes`, { Connection: "close" });
      }
      parts.push(next.value);
    }
  } finally {
    done.abort();
    reader.cancel().catch(() => {});
  }
}

/** Lets a number of requests work at once, and a number of them wait; more are refused. */
export class Crowd {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #working = 0;

  constructor(options: { most: number; mostWaiting: number }) {
    this.#most = options.most;
    this.#mostWaiting = options.mostWaiting;
  }

  /** Does `work` when there is room. @throws {Refusal} If too many wait already. */
  async pass(work: () => Promise<void>): Promise<void> {
    if (this.#working >= this.#most) {
      if (this.#waiting.length >= this.#mostWaiting) {
        throw new Refusal(503, "Too many requests wait; try again", { "Retry-After": "1" });
      }
      // Whoever leaves hands its place over.
      await new Promise<void>((go) => this.#waiting.push(go));
    } else this.#working++;
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#working--;
      else next();
    }
  }
}
