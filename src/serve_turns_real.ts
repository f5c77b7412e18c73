/**
 * One request of a connection at a time. The runtime reads on while a request is worked on, and hands over all that a
 * client sends ahead; each would be worked on at once, and its reply wait in memory for those before it.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection that may wait; who sends more ahead is cut off. */
export const MOST_WAITING = 16;

/** Works on one request. */
export type Work = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** The requests of all connections, each when the one before it on its connection is answered. */
export class Turns {
  readonly #work: Work;
  /** Of each connection that is busy: what waits. */
  readonly #waiting = new WeakMap<Socket, (() => void)[]>();

  constructor(work: Work) {
    this.#work = work;
  }

  /** Takes a request that has come. */
  take(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    if (socket.destroyed) return;
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) {
      this.#waiting.set(socket, []);
      this.#begin(incoming, outgoing);
    } else if (waiting.length < MOST_WAITING) waiting.push(() => this.#begin(incoming, outgoing));
    else socket.destroy();
  }

  #begin(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    // Also when the client has gone: "close" comes in every case.
    outgoing.once("close", () => {
      const next = this.#waiting.get(socket)?.shift();
      if (next === undefined || socket.destroyed) this.#waiting.delete(socket);
      else next();
    });
    this.#work(incoming, outgoing);
  }
}
