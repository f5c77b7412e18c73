/**
 * How many jobs each entry of the cluster may run at once, now and a short while ago: a run notices a change of the cluster's file in
 * a moment, and what it started before goes on.
 *
 * @module
 */

import type { HostPlan } from "./scenario.ts";
import type { Timeline } from "./timeline.ts";

/** So long may a run go by what the cluster said before: it can be stopped for a minute. */
const LATE_MS = 150_000;

interface Entry {
  readonly machine: string;
  readonly gpu: string;
  /** Changes in order of time; capacity 0 while it is not active. */
  readonly changes: { atMs: number; capacity: number }[];
  capacity: number;
  isActive: boolean;
}

/** The entries of one cluster. */
export class Capacities {
  readonly #timeline: Timeline;
  readonly #entries = new Map<string, Entry>();

  constructor(timeline: Timeline, hosts: readonly HostPlan[]) {
    this.#timeline = timeline;
    for (const { key, entries } of hosts) {
      for (const { id, capacity, gpu } of entries) {
        this.#entries.set(id, {
          machine: key,
          gpu,
          changes: [{ atMs: -Infinity, capacity }],
          capacity,
          isActive: true,
        });
      }
    }
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
    Object.assign(entry, change);
    entry.changes.push({ atMs: this.#timeline.nowMs, capacity: entry.isActive ? entry.capacity : 0 });
  }

  /** The most that may run at once on a machine with a GPU, by anything that was said lately. null if no entry names them. */
  mostOn(machine: string, gpu: string): number | null {
    let most: number | null = null;
    for (const entry of this.#entries.values()) {
      if (entry.machine === machine && entry.gpu === gpu) most = (most ?? 0) + this.#most(entry);
    }
    return most;
  }

  #most({ changes }: Entry): number {
    const from = this.#timeline.nowMs - LATE_MS;
    return changes.reduce(
      (most, { capacity }, i) => (changes[i + 1]?.atMs ?? Infinity) >= from ? Math.max(most, capacity) : most,
      0,
    );
  }
}
