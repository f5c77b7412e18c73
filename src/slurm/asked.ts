/**
 * One submit, and the allocations that came of it. Pure.
 *
 * @module
 */

import type { Entry } from "./entry.ts";
import type { AllocationState, Sight } from "./slurm.ts";

/** One allocation that is not over. */
export interface Allocation {
  readonly asked: Asked;
  readonly task: number;
  array: string;
  job: string | null;
  state: AllocationState;
  reason: string;
  nodes: readonly string[];
  /** Until when jobs may start there, by the clock of the run. */
  untilMs: number;
  /** It was there when Slurm was asked. */
  wasSeen: boolean;
  wasLinked: boolean;
  /** Since when it is seen to run. */
  sinceMs: number;
  /** Why no link led there, for so long that it was given back; null otherwise. */
  noLink: string | null;
  isOpen: boolean;
  /** Since when nothing is in flight there. */
  idleSinceMs: number | null;
  /** It gets no more jobs: it is near its end, or nobody needs it. */
  closing: "ending" | "unneeded" | null;
  /** The run knows that it is closing. */
  isClosed: boolean;
  cancelledMs: number | null;
  /** Looks in a row that did not show it, and when the first of them was. */
  missed: number;
  missedSinceMs: number;
  /** How it ended, as the door said; null if it did not. */
  saidOver: string | null;
  /** And Slurm shows it still: it has not noticed that its nodes were booted. */
  isLeftOver: boolean;
}

/** So many looks in a row that do not show it, over {@link ARRIVAL_MS}, mean that Slurm does not have it. */
const MOST_MISSED = 3;
/** A submit without an answer may still arrive for so long. */
const ARRIVAL_MS = 60_000;
/** Near its end an allocation takes no more jobs: a fiftieth of its time, a minute at most. */
const NEAR_END = { part: 1 / 50, mostMs: 60_000 };

/** One submit. */
export class Asked {
  /** `submitting`: no answer yet. `unknown`: there was none, or nobody waited for it. `known`: Slurm has it. */
  phase: "submitting" | "unknown" | "known" = "submitting";
  /** By task. */
  readonly allocations = new Map<number, Allocation>();
  readonly entry: Entry;
  readonly name: string;
  readonly count: number;
  readonly atMs: number;
  /** An earlier run submitted it. */
  readonly isEarlier: boolean;
  /** Slurm has answered a look for it, whatever it showed. */
  wasAnswered = false;
  #looks = 0;

  constructor(entry: Entry, of: { name: string; count: number; atMs: number; isEarlier: boolean }) {
    const { name, count, atMs } = of;
    this.isEarlier = of.isEarlier;
    this.entry = entry;
    this.name = name;
    this.count = count;
    this.atMs = atMs;
    for (let task = 0; task < count; task++) this.allocations.set(task, this.#make(task, ""));
  }

  #make(task: number, array: string): Allocation {
    return {
      asked: this,
      task,
      array,
      job: null,
      state: "pending",
      reason: "",
      nodes: [],
      untilMs: Infinity,
      wasSeen: false,
      wasLinked: false,
      sinceMs: Infinity,
      noLink: null,
      isOpen: false,
      idleSinceMs: null,
      closing: null,
      isClosed: false,
      cancelledMs: null,
      missed: 0,
      missedSinceMs: 0,
      saidOver: null,
      isLeftOver: false,
    };
  }

  /** Slurm has it, under this id. */
  know(array: string): void {
    this.phase = "known";
    for (const task of this.allocations.keys()) this.allocations.set(task, this.#make(task, array));
  }

  /** After a look that did not show an unknown one: true if it can be taken for never submitted. */
  isLookedUp(nowMs: number): boolean {
    this.wasAnswered = true;
    this.#looks++;
    return this.#looks >= MOST_MISSED && nowMs - this.atMs >= ARRIVAL_MS;
  }

  /** True if there is something to look at. */
  isOpen(isToLookAt: (one: Allocation) => boolean): boolean {
    return this.phase === "unknown" || [...this.allocations.values()].some(isToLookAt);
  }

  /** Takes in what Slurm shows. @returns Those that run now, and those that are over. */
  learn(
    sights: readonly Sight[],
    nowMs: number,
    lengthMs: number,
  ): { started: { one: Allocation; isStart: boolean }[]; ended: Allocation[] } {
    this.wasAnswered = true;
    const started: { one: Allocation; isStart: boolean }[] = [];
    const ended: Allocation[] = [];
    if (sights.length > 0 && this.phase !== "known") this.know(sights[0]!.array);
    const byTask = new Map(sights.map((sight) => [sight.task, sight]));
    for (const [task, one] of this.allocations) {
      const sight = byTask.get(task);
      if (sight !== undefined) one.missed = 0;
      else if (++one.missed === 1) one.missedSinceMs = nowMs;
      const isLong = one.missed >= MOST_MISSED && nowMs - one.missedSinceMs >= ARRIVAL_MS;
      const isForgotten = isLong || (one.missed > 0 && one.saidOver === "GONE");
      if (sight?.state === "over" || isForgotten) {
        // A task that is cancelled while it waits leaves no trace.
        one.reason = sight?.reason ?? (one.cancelledMs === null && one.job !== null ? "GONE" : "CANCELLED");
        one.job = sight?.job ?? one.job;
        this.allocations.delete(task);
        ended.push(one);
      } else if (sight !== undefined) {
        const isStart = one.state === "pending" && sight.state === "running";
        const { state, reason, array, job, nodes } = sight;
        Object.assign(one, { state, reason, array, job, nodes, wasSeen: true });
        one.isLeftOver ||= state === "running" && one.saidOver !== null;
        if (sight.state === "running" && (isStart || one.untilMs === Infinity)) {
          const nearEndMs = Math.min(NEAR_END.mostMs, lengthMs * NEAR_END.part);
          one.untilMs = nowMs + (sight.leftMs ?? Infinity) - nearEndMs;
          one.sinceMs = nowMs;
          started.push({ one, isStart });
        }
      }
    }
    return { started, ended };
  }

  /** What of it others see: the same text while nothing changes. */
  text(): string {
    return [...this.allocations.values()].map(({ task, state, job, nodes }) => [task, state, job, ...nodes].join(" "))
      .join("\n");
  }
}

/** How people find it in Slurm. */
export function idOf({ job, array, task }: Allocation): string {
  return job ?? `${array}_${task}`;
}

/** True if Slurm has said the id of its array. Before, `scancel` would refuse all that it is given. */
export function isNamed({ array }: Allocation): boolean {
  return array !== "";
}

/** How it is cancelled: Slurm does not take the id that a task has of its own. */
export function taskOf({ array, task }: Allocation): string {
  return `${array}_${task}`;
}
