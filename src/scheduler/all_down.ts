/**
 * What to do when no machine is left for the jobs that wait: report it, wait for the time-out, then end. Part of the
 * core; pure but for the context that it changes.
 *
 * @module
 */

import { machineKey } from "../cluster/machine.ts";
import { report, type RunContext } from "./context.ts";
import type { MachineState } from "./machines.ts";
import { isOffered, type SlotHost } from "./slot_host.ts";

/** Since when no machine is left. */
export class AllDown {
  readonly #run: RunContext;
  #sinceMs: number | null = null;
  #isTold = false;

  constructor(run: RunContext) {
    this.#run = run;
  }

  /** The run begins: no link is open yet. */
  begin(): void {
    this.#sinceMs = this.#run.nowMs;
  }

  /** Time in which nobody listened does not count. */
  stoodStill(ms: number): void {
    if (this.#sinceMs !== null) this.#sinceMs += ms;
  }

  /**
   * Reports once when no machine is left for what waits. `couldUse`: whether a host could hold any of that.
   * @returns True when that has lasted for the whole time-out.
   */
  isHopeless(more: boolean, couldUse: (host: SlotHost) => boolean): boolean {
    const run = this.#run;
    const isOpen = (key: string): boolean => (run.machines.get(key)?.openedAtMs ?? null) !== null;
    const usable = run.slots.hosts.some((host) =>
      (host.isToCome === true ? host.active : isOffered(host) && isOpen(machineKey(host.machine))) && couldUse(host)
    );
    if (!more || usable || run.slots.hosts.length === 0) {
      this.#sinceMs = null;
      this.#isTold = false;
      return false;
    }
    this.#sinceMs ??= run.nowMs;
    if (run.nowMs >= this.#sinceMs + run.timeoutMs) return true;
    const isFirstTry = (state: MachineState): boolean => state.phase === "connecting" && state.failures === 0;
    if (!this.#isTold && !run.machines.restless().some(isFirstTry)) {
      this.#isTold = true;
      const isOff = !run.slots.hosts.some((host) => host.isToCome === true ? host.active : isOffered(host));
      report(run, { type: "all_down", timeoutMs: run.timeoutMs, isOff });
    }
    return false;
  }

  /** When the time-out is over, epoch ms; Infinity for never. */
  get wakeAtMs(): number {
    return this.#sinceMs === null ? Infinity : this.#sinceMs + this.#run.timeoutMs;
  }
}
