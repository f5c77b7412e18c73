/**
 * Keeps what a run says of itself (in the file that holds its lock) up to date: slots, and which machines are up, since
 * when.
 *
 * @module
 */

import { isNodeName } from "../cluster/slurm_place.ts";
import type { Clock } from "../deps.ts";
import type { RunEvent } from "../scheduler/report.ts";
import type { RunAbout } from "../store/run_status.ts";
import type { QueueStore } from "../store/store.ts";

const AGAIN_EVERY_MS = 1_000;

/** Tells of one run. The run does not wait for it: nothing but onlookers depends on it. */
export class RunTeller {
  readonly #store: Pick<QueueStore, "tellRun">;
  readonly #clock: Pick<Clock, "epochMs">;
  readonly #machines: Record<string, "up" | "down"> = {};
  readonly #since: Record<string, number> = {};
  readonly #again: Record<string, number> = {};
  #againToldMs = -Infinity;
  #about: RunAbout;
  #told: Promise<void> = Promise.resolve();

  constructor(
    store: Pick<QueueStore, "tellRun">,
    clock: Pick<Clock, "epochMs">,
    about: Omit<RunAbout, "machines" | "since" | "again" | "began">,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#about = {
      ...about,
      began: clock.epochMs(),
      machines: this.#machines,
      since: this.#since,
      again: this.#again,
    };
  }

  /** What is said now. */
  get about(): RunAbout {
    return this.#about;
  }

  /** Resolves when all is written. */
  get told(): Promise<void> {
    return this.#told;
  }

  /** Takes in an event of the run. */
  event(event: RunEvent): void {
    if (event.type === "halt") return this.tell({ ending: `halted (${event.halt.text})` });
    if (event.type === "stopping") return this.tell({ ending: `stopping after ${event.signal}` });
    if (event.type === "machine_again") return this.#tellAgain(event.machine, event.inMs);
    if (event.type !== "machine_up" && event.type !== "machine_down") return;
    const now = event.type === "machine_up" ? "up" : "down";
    if (this.#about.machines[event.machine] === now) return;
    // Of what comes and goes thousands would be left.
    if (now === "down" && isNodeName(event.machine)) {
      delete this.#machines[event.machine];
      delete this.#since[event.machine];
      delete this.#again[event.machine];
      return this.tell({});
    }
    // In place: copies of a record of thousands, thousands of times, would take minutes.
    this.#machines[event.machine] = now;
    this.#since[event.machine] = this.#clock.epochMs();
    if (now === "up") delete this.#again[event.machine];
    this.tell({});
  }

  /** Thousands of machines may be tried again and again: what is said of that may be a second old. */
  #tellAgain(machine: string, inMs: number): void {
    if (isNodeName(machine)) return;
    const nowMs = this.#clock.epochMs();
    this.#again[machine] = nowMs + inMs;
    if (Math.abs(nowMs - this.#againToldMs) < AGAIN_EVERY_MS) return;
    this.#againToldMs = nowMs;
    this.tell({});
  }

  /** Says something else from now on. */
  tell(change: Partial<RunAbout>): void {
    this.#about = { ...this.#about, ...change };
    this.#told = this.#store.tellRun(this.#about);
  }
}
