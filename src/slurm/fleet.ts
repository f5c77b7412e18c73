/**
 * All allocations that a run knows of, by the submits that they came of. Pure.
 *
 * @module
 */

import { machineKey } from "../cluster/machine.ts";
import type { SlotHost } from "../scheduler/slot_host.ts";
import type { Allocation, Asked } from "./asked.ts";
import { isNamed, taskOf } from "./asked.ts";
import { machineOfEntry, nodeHost, slotsOf } from "./entry.ts";

/**
 * How the allocations of an entry stand. `reason`: why the first of them waits, or else why the last submit was
 * refused, in Slurm's words.
 */
export interface EntrySummary {
  readonly entry: string;
  readonly pending: number;
  readonly running: number;
  readonly reason: string | null;
}

/** The submits by name. */
export class Fleet {
  readonly asked = new Map<string, Asked>();

  /** The allocations that are not over. */
  all(): Allocation[] {
    return [...this.asked.values()].flatMap(({ allocations }) => [...allocations.values()]);
  }

  /** Those of an entry. */
  of(entry: string): Allocation[] {
    return this.all().filter(({ asked }) => asked.entry.id === entry);
  }

  /** Slots that jobs may have in those that are there or come. @param room What is left in one that is linked. */
  free(room: (one: Allocation) => number): number {
    const those = this.all().filter(({ closing }) => closing === null);
    return those.reduce((sum, one) => sum + (one.isOpen ? room(one) : slotsOf(one.asked.entry)), 0);
  }

  /** How those of some entries stand. */
  summary(entries: Iterable<readonly [entry: string, refusal: string | null]>): EntrySummary[] {
    return [...entries].map(([entry, refusal]) => {
      const those = this.of(entry);
      const pending = those.filter(({ state }) => state === "pending");
      const running = those.filter(({ state }) => state === "running").length;
      return { entry, pending: pending.length, running, reason: (pending[0]?.reason ?? refusal) || null };
    });
  }

  /** Submits of which nothing is left when what {@link Fleet.idle} gave is cancelled. */
  idleSubmits(isBusy: (machine: string) => boolean): string[] {
    return [...this.asked.values()].filter(({ phase, allocations }) =>
      phase === "known" && [...allocations.values()].every((one) => isNamed(one) && !machinesOf(one).some(isBusy))
    ).map(({ name }) => name);
  }

  /** By login host, the submits of which Slurm has not said yet what there is. */
  unseen(): Map<string, string[]> {
    const those = [...this.asked.values()].filter(({ phase, wasAnswered, allocations }) =>
      phase !== "submitting" && !wasAnswered && [...allocations.values()].some((one) => !isNamed(one))
    );
    const names = Map.groupBy(those, ({ entry }) => machineKey(entry.login));
    return new Map([...names].map(([login, all]) => [login, all.map(({ name }) => name)]));
  }

  /** By login host, those that nobody needs: nothing is in flight there. */
  idle(isBusy: (machine: string) => boolean): Map<string, string[]> {
    const those = new Map<string, string[]>();
    for (const one of this.all()) {
      if (!isNamed(one) || machinesOf(one).some(isBusy)) continue;
      const login = machineKey(one.asked.entry.login);
      those.set(login, [...those.get(login) ?? [], taskOf(one)]);
    }
    return those;
  }
}

/** The hosts that an allocation is. */
export function hostsOf(one: Allocation, isEntryActive: boolean): SlotHost[] {
  const { job, state, nodes, closing, untilMs, asked: { entry } } = one;
  if (state !== "running" || job === null) return [];
  return nodes.map((node) => nodeHost(entry, { job, node, untilMs, isActive: closing === null && isEntryActive }));
}

/** Keys of the machines that an allocation is. */
export function machinesOf({ job, nodes, asked: { entry } }: Allocation): string[] {
  return job === null ? [] : nodes.map((node) => machineKey(machineOfEntry(entry, { node, job })));
}
