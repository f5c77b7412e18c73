/**
 * How many jobs each entry of the cluster may run at once.
 *
 * @module
 */

import type { HostPlan } from "./scenario.ts";

/** What the truth asks of the world when an attempt starts. */
export interface Limits {
  /**
   * How many jobs may run at once in the slots of the hosts with this GPU on a machine; null where slots are not
   * counted by host.
   */
  capacityOn(machine: string, gpu: string): number | null;
  readonly maxParallel: number | null;
  /** CPUs that the hosts of a machine have. */
  cpusOn(machine: string): number;
}

interface Entry {
  readonly machine: string;
  readonly gpu: string;
  /**
   * The most that it ever allowed: what was started then goes on, and a command that sets another number may die before
   * it has.
   */
  most: number;
  isActive: boolean;
  readonly cpus: number;
}

/** The entries of one cluster. */
export class Capacities {
  readonly #entries = new Map<string, Entry>();
  readonly #byMachine: ReadonlyMap<string, readonly Entry[]>;

  constructor(hosts: readonly HostPlan[]) {
    for (const { key, entries } of hosts) {
      for (const { id, capacity, gpu, cpus = 0 } of entries) {
        this.#entries.set(id, {
          machine: key,
          gpu,
          most: capacity,
          isActive: true,
          cpus,
        });
      }
    }
    this.#byMachine = Map.groupBy(this.#entries.values(), ({ machine }) => machine);
  }

  get ids(): string[] {
    return [...this.#entries.keys()];
  }

  isActive(id: string): boolean {
    return this.#entries.get(id)?.isActive ?? false;
  }

  /** Something is about to change in the file. */
  set(id: string, change: { capacity?: number; isActive?: boolean }): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.most = Math.max(entry.most, change.capacity ?? 0);
    entry.isActive = change.isActive ?? entry.isActive;
  }

  /** CPUs of all entries of a machine. */
  cpusOn(machine: string): number {
    return (this.#byMachine.get(machine) ?? []).reduce((sum, { cpus }) => sum + cpus, 0);
  }

  /** The most that may run at once on a machine with a GPU, by anything that was said. null if no entry names them. */
  mostOn(machine: string, gpu: string): number | null {
    let most: number | null = null;
    for (const entry of this.#byMachine.get(machine) ?? []) if (entry.gpu === gpu) most = (most ?? 0) + entry.most;
    return most;
  }
}
