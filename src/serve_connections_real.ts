/**
 * Which connections go when there are too many: of the network that has most of them, the one that has asked for
 * nothing the longest. So whoever holds connections open, or opens ever new ones, keeps nobody out who comes from
 * elsewhere. Those that have shown the right password stay as long as there are others.
 *
 * @module
 */

import type { Socket } from "node:net";
import { networkOf } from "./names/network.ts";

const KINDS = ["strangers", "known"] as const;

/** The connections of one network. */
interface Network {
  /** All that are open. */
  count: number;
  /** Those without a request that is worked on; the one that has been so longest is first. */
  readonly strangers: Set<Socket>;
  /** The same of those that have shown the right password. */
  readonly known: Set<Socket>;
}

/** The connections of a server. */
export class Connections {
  readonly #most: number;
  readonly #networks = new Map<string, Network>();
  readonly #open = new Map<Socket, { name: string; port: string; network: Network; isKnown: boolean }>();
  readonly #byPort = new Map<string, Socket>();

  /** @param most Connections that the server takes; some of them are kept free for who comes next. */
  constructor(most: number) {
    this.#most = most - Math.max(1, Math.floor(most / 8));
  }

  /** A connection has come. */
  add(socket: Socket): void {
    const name = networkOf(socket.remoteAddress ?? "");
    let network = this.#networks.get(name);
    if (network === undefined) {
      this.#networks.set(name, network = { count: 0, strangers: new Set(), known: new Set() });
    }
    network.count++;
    network.strangers.add(socket);
    const port = portOf(socket);
    this.#open.set(socket, { name, port, network, isKnown: false });
    this.#byPort.set(port, socket);
    socket.once("close", () => this.#forget(socket));
    if (this.#open.size <= this.#most) return;
    const longest = this.#longest(socket, network);
    if (longest === undefined) return;
    this.#forget(longest);
    longest.destroy();
  }

  /** The socket of a handshake has become this one, of the same address and port. */
  replace(socket: Socket): void {
    const first = this.#byPort.get(portOf(socket));
    if (first !== undefined && first !== socket) this.#forget(first);
    this.add(socket);
  }

  /** A request of it is worked on. */
  busy(socket: Socket): void {
    for (const kind of KINDS) this.#open.get(socket)?.network[kind].delete(socket);
  }

  /** Its request is answered. */
  idle(socket: Socket): void {
    const one = this.#open.get(socket);
    one?.network[one.isKnown ? "known" : "strangers"].add(socket);
  }

  /** It has shown the right password. */
  trust(socket: Socket): void {
    const one = this.#open.get(socket);
    if (one !== undefined) one.isKnown = true;
  }

  #forget(socket: Socket): void {
    const one = this.#open.get(socket);
    if (one === undefined) return;
    this.busy(socket);
    this.#open.delete(socket);
    if (this.#byPort.get(one.port) === socket) this.#byPort.delete(one.port);
    if (--one.network.count === 0) this.#networks.delete(one.name);
  }

  /** The one to go for the newest: none of a network that has fewer connections than the newest's own. */
  #longest(newest: Socket, own: Network): Socket | undefined {
    for (const kind of KINDS) {
      let largest: Network | undefined;
      for (const network of this.#networks.values()) {
        const isCandidate = network[kind].size > (network[kind].has(newest) ? 1 : 0) && network.count >= own.count;
        if (isCandidate && network.count > (largest?.count ?? 0)) largest = network;
      }
      for (const socket of largest?.[kind] ?? []) if (socket !== newest) return socket;
    }
    return undefined;
  }
}

function portOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
