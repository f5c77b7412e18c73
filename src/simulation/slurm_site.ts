/**
 * A simulated Slurm: allocations that wait, run, are preempted, reach their limit, lose their node, and whose ids come
 * again; answers that are late, lost or empty. It counts what must never be.
 *
 * @module
 */

import type { Sight, Submitted } from "../slurm/slurm.ts";
import type { Random } from "./random.ts";

/** What may go wrong, each with its probability. */
export interface SlurmLuck {
  /** A submit is refused, or has no answer though it arrived, or though it did not. */
  readonly refused: number;
  readonly unanswered: number;
  /** A look has no answer, or is empty. */
  readonly blind: number;
  /** An allocation is preempted or cancelled before its end; or loses its node. */
  readonly preempted: number;
  readonly nodeLost: number;
  /** Its node loses power and is booted, which Slurm does not notice. */
  readonly nodeBooted: number;
  /** The controller forgets its last id, and gives it out again. */
  readonly reused: number;
  /** Longest wait in Slurm's queue, ms. */
  readonly pendingMs: number;
}

/**
 * What tells a link where it leads. `hasty`: of a lost node it says that nothing runs there any more. `forgetful`: it
 * does not say since when an allocation runs, so that one with the id of another is taken for that.
 */
export type Door = "right" | "hasty" | "forgetful";

/** Nothing goes wrong. */
export const GOOD_LUCK: SlurmLuck = {
  refused: 0,
  unanswered: 0,
  blind: 0,
  preempted: 0,
  nodeLost: 0,
  nodeBooted: 0,
  reused: 0,
  pendingMs: 5_000,
};

/** One allocation as Slurm has it. */
export interface SiteAllocation {
  readonly name: string;
  readonly task: number;
  readonly array: string;
  job: string;
  node: string;
  /**
   * `lost`: its node is, and what runs there lives until it is back. `booted`: nothing runs there any more, and Slurm
   * shows it as running.
   */
  state: "pending" | "running" | "lost" | "booted" | "over";
  reason: string;
  startMs: number;
  endMs: number;
  /** When a node that is lost, or without power, is back. */
  backMs: number;
  /** Slurm has no record of it any more: its id is another's. */
  isForgotten: boolean;
}

/** The site. */
export class SlurmSite {
  readonly all: SiteAllocation[] = [];
  /** Most allocations at once, of those that were asked for and were not over. */
  most = 0;
  readonly #luck: SlurmLuck;
  readonly #random: Random;
  readonly #lengthMs: number;
  readonly #onEnd: (one: SiteAllocation) => void;
  readonly #onLost: (one: SiteAllocation) => void;
  #next = 1;

  constructor(options: {
    luck: SlurmLuck;
    random: Random;
    lengthMs: number;
    /** What runs there is gone. */
    onEnd: (one: SiteAllocation) => void;
    /** No link leads there any more, and what runs there goes on. */
    onLost: (one: SiteAllocation) => void;
  }) {
    this.#luck = options.luck;
    this.#random = options.random;
    this.#lengthMs = options.lengthMs;
    this.#onEnd = options.onEnd;
    this.#onLost = options.onLost;
  }

  /** Takes a submit, or not. */
  submit(name: string, count: number, nowMs: number): Submitted {
    if (this.#random.chance(this.#luck.refused)) return { type: "refused", reason: "Invalid account" };
    const isUnanswered = this.#random.chance(this.#luck.unanswered);
    const isLost = isUnanswered && this.#random.chance(0.5);
    const array = String(this.#next);
    if (!isLost) {
      for (let task = 0; task < count; task++) {
        const startMs = nowMs + this.#random.between(0, this.#luck.pendingMs);
        const end = { startMs, endMs: startMs + this.#lengthMs, backMs: Infinity, isForgotten: false };
        const rest = { node: "", state: "pending", reason: "Resources" } as const;
        this.all.push({ name, task, array, job: String(this.#next++), ...rest, ...end });
      }
      this.most = Math.max(this.most, this.count);
    }
    return isUnanswered ? { type: "unknown", reason: "no answer" } : { type: "submitted", job: array };
  }

  /** Those on which something may run, or will. */
  open(): SiteAllocation[] {
    return this.all.filter(({ state }) => state !== "over");
  }

  /** How many Slurm counts. */
  get count(): number {
    return this.open().filter(({ state }) => state !== "lost").length;
  }

  /** What is seen of these names. */
  look(names: readonly string[], nowMs: number): Sight[] | null {
    if (this.#random.chance(this.#luck.blind)) return this.#random.chance(0.8) ? null : [];
    return this.all.filter(({ name, isForgotten }) => !isForgotten && names.includes(name)).map((one): Sight => {
      const isThere = one.state !== "pending" && one.node !== "";
      return {
        name: one.name,
        task: one.task,
        array: one.array,
        job: isThere ? one.job : null,
        state: one.state === "lost" ? "over" : one.state === "booted" ? "running" : one.state,
        reason: one.state === "lost" ? "NODE_FAIL" : one.reason,
        nodes: isThere ? [one.node] : [],
        restarts: 0,
        started: null,
        leftMs: one.state === "running" ? one.endMs - nowMs : null,
      };
    });
  }

  /** Ends one. */
  cancel(task: string, nowMs: number): void {
    const one = this.open().find(({ array, task: number }) => `${array}_${number}` === task);
    if (one !== undefined) this.#end(one, "CANCELLED", nowMs);
  }

  /** Lets time pass. */
  tick(nowMs: number): void {
    for (const one of this.open()) {
      if (one.state === "pending" && one.startMs <= nowMs) {
        Object.assign(one, { state: "running", reason: "None", node: `n${1 + this.#random.below(8)}` });
        if (this.#random.chance(this.#luck.reused) && this.#next > 2) this.#reuse(one, nowMs);
      } else if (one.state === "lost" && one.backMs <= nowMs) this.#end(one, "NODE_FAIL", nowMs);
      else if (one.state === "running" && one.endMs <= nowMs) this.#end(one, "TIMEOUT", nowMs);
      else if (one.state === "running" && this.#random.chance(this.#luck.preempted)) this.#end(one, "PREEMPTED", nowMs);
      else if (one.state === "running" && this.#random.chance(this.#luck.nodeLost)) {
        Object.assign(one, { state: "lost", backMs: nowMs + this.#random.between(20_000, 200_000) });
        this.#onLost(one);
      } else if (one.state === "running" && this.#random.chance(this.#luck.nodeBooted)) {
        this.#end(one, "NODE_FAIL", nowMs);
        Object.assign(one, { state: "booted", backMs: nowMs + this.#random.between(20_000, 200_000) });
      }
    }
  }

  /** It gets the id of one that is over; or of one that ran, which a crash of the controller has made an end of. */
  #reuse(one: SiteAllocation, nowMs: number): void {
    const wanted = this.#random.chance(0.5) ? "running" : "over";
    const old = this.all.findLast((other) =>
      other !== one && other.state === wanted && other.node !== "" && !other.isForgotten
    );
    if (old === undefined) return;
    if (wanted === "running") this.#end(old, "CANCELLED", nowMs);
    one.job = old.job;
    one.node = old.node;
    old.isForgotten = true;
  }

  /** No link leads to it, nor to what is left of it. */
  isSilent({ state, backMs }: SiteAllocation, nowMs: number): boolean {
    return state === "pending" || state === "lost" || (state === "booted" && nowMs < backMs);
  }

  #end(one: SiteAllocation, reason: string, nowMs: number): void {
    const isGone = one.state === "booted";
    Object.assign(one, { state: "over", reason: isGone ? one.reason : reason, endMs: isGone ? one.endMs : nowMs });
    if (!isGone) this.#onEnd(one);
  }
}
