/**
 * What a run reports about its machines, each thing once. Part of the core; pure but for the context that it changes.
 *
 * @module
 */

import { machineText } from "../cluster/machine.ts";
import type { AttemptState } from "../link/link.ts";
import { report, type RunContext } from "./context.ts";
import type { MachineState } from "./machines.ts";

/** Remembers what was reported. */
export class Notices {
  readonly #run: RunContext;
  /** Notices that were reported, with their machines. */
  readonly #told = new Set<string>();
  /** Machines whose jobs of an earlier run were reported as unknown. */
  readonly #unknownTold = new Set<string>();

  constructor(run: RunContext) {
    this.#run = run;
  }

  /** An attempt to connect failed. */
  silent(state: MachineState): void {
    this.#triedAgain(state);
    this.unknown(state);
  }

  /** The link to a machine is gone. */
  broken(state: MachineState, reason: string): void {
    report(this.#run, { type: "machine_down", machine: machineText(state.machine), reason, wasUp: true });
    this.#triedAgain(state);
  }

  /** Says when a machine is tried again that does not answer. */
  #triedAgain(state: MachineState): void {
    const inMs = Math.max(0, state.retryAtMs - this.#run.nowMs);
    report(this.#run, { type: "machine_again", machine: machineText(state.machine), inMs });
  }

  /** Something that a person should know of a machine; reported once. */
  notice(key: string, text: string): void {
    const told = `${key} ${text}`;
    if (this.#told.has(told)) return;
    this.#told.add(told);
    report(this.#run, { type: "warning", text });
  }

  /**
   * The link broke and is back, in the same boot: all that ran there is gone without an end. That is what logind does
   * with KillUserProcesses=yes, whenever the last session of a user ends.
   */
  lookForReaper(key: string, states: readonly AttemptState[]): void {
    const state = this.#run.machines.get(key);
    if (state === undefined || !state.isAgain || state.phase !== "asking") return;
    const ran = states.filter(({ type }) => type === "crashed" || type === "alive" || type === "ended");
    if (ran.length === 0 || ran.some(({ type }) => type !== "crashed")) return;
    const { user, name } = state.machine;
    const whom = user === "" ? "" : ` ${user}`;
    this.notice(
      key,
      `All that ran on ${
        machineText(state.machine)
      } ended with its connection: if logind there has KillUserProcesses=yes ` +
        `(see /etc/systemd/logind.conf), say loginctl enable-linger${whom} on ${name}`,
    );
  }

  /** Jobs of an earlier run are there, and nobody can say what became of them; reported once. */
  unknown({ key, machine }: MachineState): void {
    const { inFlight, timeoutMs } = this.#run;
    const jobs = [...inFlight.on(key)].filter(({ stage }) => stage.at === "inherited").map(({ job }) => job);
    if (jobs.length === 0 || this.#unknownTold.has(key)) return;
    this.#unknownTold.add(key);
    report(this.#run, { type: "unknown", jobs, machine: machineText(machine), timeoutMs });
  }
}
