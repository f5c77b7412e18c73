/**
 * Which connections go when there are too many: those that have asked for nothing the longest. So whoever holds
 * connections open in silence keeps nobody out.
 *
 * @module
 */

import type { Socket } from "node:net";

/** The connections of a server. */
export class Connections {
  readonly #most: number;
  readonly #open = new Set<Socket>();
  /** Those without a request that is worked on; the one that has been so longest is first. */
  readonly #idle = new Set<Socket>();

  /** @param most Connections that the server takes; some of them are kept free for who comes next. */
  constructor(most: number) {
    this.#most = most - Math.max(1, Math.floor(most / 8));
  }

  /** A connection has come. */
  add(socket: Socket): void {
    this.#open.add(socket);
    this.#idle.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#idle.delete(socket);
    });
    if (this.#open.size <= this.#most) return;
    const [longest] = this.#idle;
    if (longest === socket || longest === undefined) return;
    this.#open.delete(longest);
    this.#idle.delete(longest);
    longest.destroy();
  }

  /** A request of it is worked on. */
  busy(socket: Socket): void {
    this.#idle.delete(socket);
  }

  /** Its request is answered. */
  idle(socket: Socket): void {
    if (this.#open.has(socket)) this.#idle.add(socket);
  }
}
