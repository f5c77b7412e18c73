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

/** Tells of one run. The run does not wait for it: nothing but onlookers depends on it. */
export class RunTeller {
  readonly #store: Pick<QueueStore, "tellRun">;
  readonly #clock: Pick<Clock, "epochMs">;
  readonly #machines: Record<string, "up" | "down"> = {};
  readonly #since: Record<string, number> = {};
  #about: RunAbout;
  #told: Promise<void> = Promise.resolve();

  constructor(
    store: Pick<QueueStore, "tellRun">,
    clock: Pick<Clock, "epochMs">,
    about: Omit<RunAbout, "machines" | "since">,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#about = { ...about, machines: this.#machines, since: this.#since };
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
    if (event.type !== "machine_up" && event.type !== "machine_down") return;
    const now = event.type === "machine_up" ? "up" : "down";
    if (this.#about.machines[event.machine] === now) return;
    // Of what comes and goes thousands would be left.
    if (now === "down" && isNodeName(event.machine)) {
      delete this.#machines[event.machine];
      delete this.#since[event.machine];
      return this.tell({});
    }
    // In place: copies of a record of thousands, thousands of times, would take minutes.
    this.#machines[event.machine] = now;
    this.#since[event.machine] = this.#clock.epochMs();
    this.tell({});
  }

  /** Says something else from now on. */
  tell(change: Partial<RunAbout>): void {
    this.#about = { ...this.#about, ...change };
    this.#told = this.#store.tellRun(this.#about);
  }
}
