/**
 * Machines that take themselves for one, as they have one host name and one machine-id, and are up at once. Part of the
 * core.
 *
 * @module
 */

import { hostOfMachine, machineOfBoot } from "../agent/boot.ts";
import { machineText } from "../cluster/machine.ts";
import type { MachineState } from "./machines.ts";

/** Who was heard of last under each name. */
export class Twins {
  readonly #heard = new Map<string, MachineState>();

  /**
   * A machine has answered. @returns What to say if its link is older than that to another machine of its name: no boot
   * explains the difference then. Else null.
   */
  answered(state: MachineState): string | null {
    const name = machineOfBoot(state.boot ?? "");
    if (name === null || state.isNode || state.openedAtMs === null) return null;
    const other = this.#heard.get(name);
    const isTwin = other !== undefined && other.openedAtMs !== null && other.boot !== state.boot;
    if (!isTwin || other.openedAtMs! < state.openedAtMs) this.#heard.set(name, state);
    return isTwin && state.openedAtMs <= other.openedAtMs! ? twinsText(name, [state, other]) : null;
  }
}

function twinsText(name: string, twins: readonly MachineState[]): string {
  const [one, two] = twins.map(({ machine }) => machineText(machine)).sort();
  return `${one} and ${two} are two machines with one host name (${
    hostOfMachine(name)
  }) and one machine-id, as copied ` +
    "images have. Where they share a home directory, a job of one may be taken for gone when the other is asked: give " +
    "each a host name or an /etc/machine-id of its own";
}
