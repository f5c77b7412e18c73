/**
 * Where the names of machines lead. A name may lead to several machines, one at a time, as with login nodes.
 *
 * @module
 */

import type { Host } from "./host.ts";

/** All names. */
export class Routes {
  readonly #hosts: ReadonlyMap<string, Host>;
  /** Where each name leads now. */
  readonly #routes = new Map<string, Host>();
  /** The machines of each name. */
  #nodes: ReadonlyMap<string, Host[]> | null = null;

  /** @param hosts All machines, by their keys. */
  constructor(hosts: ReadonlyMap<string, Host>) {
    this.#hosts = hosts;
  }

  set(name: string, host: Host): void {
    this.#nodes = null;
    this.#routes.set(name, host);
  }

  /** Where the name leads now. */
  of(name: string): Host | undefined {
    return this.#routes.get(name);
  }

  /** The machines of a name. */
  nodes(name: string): Host[] {
    this.#nodes ??= Map.groupBy(this.#hosts.values(), (host) => host.name);
    return this.#nodes.get(name) ?? [];
  }

  /** From now on the name leads to the next of its machines. */
  next(name: string): Host {
    const nodes = this.nodes(name);
    const next = nodes[(nodes.indexOf(this.#routes.get(name)!) + 1) % nodes.length]!;
    this.#routes.set(name, next);
    return next;
  }

  /** True if one can connect there. */
  canReach(name: string): boolean {
    const host = this.#routes.get(name);
    return host !== undefined && host.isUp && host.isReachable;
  }
}
