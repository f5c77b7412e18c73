/**
 * Sending to a service what it must stand: connections, texts, and how fast they come.
 *
 * @module
 */

import { connect, type Socket } from "node:net";

/** Where the service is, and when to end. */
export interface Target {
  readonly port: number;
  /** The right `Authorization` header. */
  readonly right: string;
  /** What it serves. */
  readonly directory: string;
  readonly stop: AbortSignal;
  /** The address that it comes from. */
  readonly from: string;
  /** Waits until the next connection may be made. */
  readonly turn: () => Promise<void>;
}

/** What becomes of the connections. */
export interface Holding {
  /** So long they are left, all together. */
  readonly holdMs: number;
  /** Replies are taken; else nothing is read. */
  readonly isTaken?: boolean;
  /** The address that the connection of this number comes from. */
  readonly from?: (i: number) => string;
}

/** Bytes that are handed to the system at once. */
const PIECE_BYTES = 64 * 1024;
const encoder = new TextEncoder();
/** Texts that were sent before. */
const encoded = new Map<string, Uint8Array>();

/** Opens connections, sends a text on each, leaves them for a while, and closes them. */
export async function many(
  { port, stop, from, turn }: Target,
  count: number,
  text: string,
  { holdMs, isTaken = false, from: fromOf = () => from }: Holding,
): Promise<void> {
  let bytes = encoded.get(text);
  if (bytes === undefined) encoded.set(text, bytes = encoder.encode(text));
  const open: Socket[] = [];
  for (let i = 0; i < count && !stop.aborted; i++) {
    await turn();
    const socket = connect({ port, host: "127.0.0.1", localAddress: fromOf(i) });
    open.push(socket);
    // Refused or cut off, as it should be.
    socket.on("error", () => {});
    if (isTaken) socket.resume();
    send(socket, bytes);
  }
  await pause(holdMs, stop);
  for (const socket of open) socket.destroy();
}

/** Sends as fast as it is taken. */
function send(socket: Socket, bytes: Uint8Array): void {
  let at = 0;
  const more = () => {
    while (at < bytes.length && !socket.destroyed) {
      const piece = bytes.subarray(at, at += PIECE_BYTES);
      if (!socket.write(piece)) return void socket.once("drain", more);
    }
  };
  socket.once("connect", more);
}

/** Lets one pass at a time, so many in a second. */
export function turnstile(perSecond: number, stop: AbortSignal): () => Promise<void> {
  let nextMs = 0;
  return async () => {
    const nowMs = performance.now();
    nextMs = Math.max(nextMs + 1000 / perSecond, nowMs);
    if (nextMs > nowMs + 1) await pause(nextMs - nowMs, stop);
  };
}

/** Waits, or until it is over. */
export function pause(ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stop.addEventListener("abort", done);
  });
}
