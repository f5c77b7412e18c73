/**
 * Which hosts have a free slot, and which hosts a machine has: a run of thousands of hosts looks here at every event.
 * Pure.
 *
 * @module
 */

import { machineKey } from "../cluster/machine.ts";
import type { SlotHost } from "./slot_host.ts";

/** The hosts of a run in their order, one bit for each in each of two sets. */
export class FreeHosts {
  #hosts: readonly SlotHost[] = [];
  readonly #byMachine = new Map<string, SlotHost[]>();
  readonly #places = new Map<string, number>();
  /** It is active and has a free slot. */
  #free = new Uint32Array(0);
  /** Its machine was found not to be up: nobody looks at it again until {@link FreeHosts.machineUp}. */
  #away = new Uint32Array(0);

  /** Replaces the list: none is free. */
  setHosts(hosts: readonly SlotHost[]): void {
    this.#hosts = hosts;
    this.#free = new Uint32Array((hosts.length + 31) >>> 5);
    this.#away = new Uint32Array(this.#free.length);
    this.#byMachine.clear();
    this.#places.clear();
    for (const [place, host] of hosts.entries()) {
      this.#places.set(host.id, place);
      const key = machineKey(host.machine);
      const there = this.#byMachine.get(key);
      if (there === undefined) this.#byMachine.set(key, [host]);
      else there.push(host);
    }
  }

  /** The host with this id. */
  get(id: string): SlotHost | undefined {
    return this.#hosts[this.#places.get(id) ?? -1];
  }

  /** The hosts of a machine, in their order. */
  on(machine: string): readonly SlotHost[] {
    return this.#byMachine.get(machine) ?? [];
  }

  /** Notes whether a host has a free slot. */
  set(id: string, isFree: boolean): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    if (isFree) this.#free[place >>> 5]! |= 1 << (place & 31);
    else this.#free[place >>> 5]! &= ~(1 << (place & 31));
  }

  /** A machine is up now: its slots count. */
  machineUp(machine: string): void {
    for (const { id } of this.on(machine)) {
      const place = this.#places.get(id)!;
      this.#away[place >>> 5]! &= ~(1 << (place & 31));
    }
  }

  /** The first with a free slot on a machine that `isUp`, or null. One that is `liked` goes before. */
  first(isUp: (machine: string) => boolean, liked: ((host: SlotHost) => boolean) | null): SlotHost | null {
    let other: SlotHost | null = null;
    for (let word = 0; word < this.#free.length; word++) {
      for (let bits = this.#free[word]! & ~this.#away[word]!; bits !== 0; bits &= bits - 1) {
        const bit = bits & -bits;
        const host = this.#hosts[word * 32 + 31 - Math.clz32(bit)]!;
        if (!isUp(machineKey(host.machine))) this.#away[word]! |= bit;
        else if (liked === null || liked(host)) return host;
        else other ??= host;
      }
    }
    return other;
  }
}
