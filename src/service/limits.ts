/**
 * Bounds of what one request, and all together, may take.
 *
 * @module
 */

import { Gathered } from "../bytes.ts";
import type { Clock } from "../deps.ts";
import { Refusal } from "./errors.ts";

/** Most bytes of a request's body: ten thousand jobs and more. */
export const BODY_BYTES = 16 * 1024 * 1024;
/** How long a body may take to come. */
const BODY_MS = 30_000;
/** Pieces that a body may come in: so many, and one for each 64 bytes. */
const BODY_PIECES = 4096;
const PIECE_BYTES = 64;
const CHECKED_BYTES = 64 * 1024;
const HEADERS = 64;
const HEADER_BYTES = 16 * 1024;
const TARGET_BYTES = 16 * 1024;

/** Methods that a `Request` cannot be made with again, and that nothing here answers. */
const NEVER = ["CONNECT", "TRACE", "TRACK"];

/** Refuses a request whose method is none for here, or whose address or headers are too big. */
export function checkHead(request: Request): void {
  if (NEVER.includes(request.method.toUpperCase())) throw new Refusal(405, "Method Not Allowed");
  if (request.url.length > TARGET_BYTES) throw new Refusal(414, "The address is too long");
  checkAddress(request.url);
  let count = 0;
  let bytes = 0;
  for (const [name, value] of request.headers) {
    count++;
    bytes += name.length + value.length;
  }
  if (count > HEADERS || bytes > HEADER_BYTES) throw new Refusal(431, "Too many headers, or too long ones");
}

/** Refuses bytes that are no text: they would be stored with U+FFFD in their place. */
export function checkUtf8(body: Uint8Array): void {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    // In pieces: to make one text of all takes ten times as long, and meanwhile nobody else is served.
    for (let at = 0; at < body.length; at += CHECKED_BYTES) {
      decoder.decode(body.subarray(at, at + CHECKED_BYTES), { stream: true });
    }
    decoder.decode();
  } catch {
    throw new Refusal(400, "The body is not UTF-8 text");
  }
}

/** The same of an address, whose bytes beyond ASCII are written as `%C3%A4`. A `%` without two digits is itself. */
function checkAddress(url: string): void {
  try {
    decodeURIComponent(url.replaceAll(/%(?![0-9A-Fa-f]{2})/g, "%25"));
  } catch {
    throw new Refusal(400, "The address is not UTF-8 text");
  }
}

/**
 * The length of the body as the client gives it: 0 without one, null if it comes in chunks. @throws {Refusal} If it is
 * too big.
 */
export function lengthOfBody(headers: Headers): number | null {
  if (headers.get("transfer-encoding") !== null) return null;
  const length = Number(headers.get("content-length") ?? 0);
  if (length > BODY_BYTES) throw tooLong();
  return length;
}

/**
 * Reads a body whole. `length`: its bytes, as far as that is known.
 * @throws {Refusal} If it is too big, too slow, in too small pieces, or breaks off.
 */
export async function readBody(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  clock: Clock,
  length: number | null = null,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const done = new AbortController();
  const late = clock.sleepUntil(clock.now() + BODY_MS, done.signal).then(() => "late" as const);
  const body = new Gathered(length ?? BODY_BYTES);
  let pieces = 0;
  try {
    while (true) {
      const next = await Promise.race([reader.read().catch(() => "gone" as const), late]);
      if (next === "late") throw new Refusal(408, "The body did not come in time", { Connection: "close" });
      if (next === "gone") throw new Refusal(400, "The body broke off", { Connection: "close" });
      if (next.done) return body.bytes;
      const { value } = next;
      if (body.length + value.length > BODY_BYTES) throw tooLong();
      if (++pieces > BODY_PIECES + body.length / PIECE_BYTES) {
        throw new Refusal(400, "The body comes in too many small pieces", { Connection: "close" });
      }
      body.add(value);
    }
  } finally {
    done.abort();
    reader.cancel().catch(() => {});
  }
}

function tooLong(): Refusal {
  return new Refusal(413, `The body is longer than ${BODY_BYTES} bytes`, { Connection: "close" });
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

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Does `work` when there is room. @throws {Refusal} If too many wait already. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#working >= this.#most) {
      if (this.#waiting.length >= this.#mostWaiting) {
        throw new Refusal(503, "Too many requests wait; try again", { "Retry-After": "1" });
      }
      // Whoever leaves hands its place over.
      await new Promise<void>((go) => this.#waiting.push(go));
    } else this.#working++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#working--;
      else next();
    }
  }
}
