/**
 * Slurm by its own commands.
 *
 * @module
 */

import type { Machine } from "../cluster/machine.ts";
import type { Deps } from "../deps.ts";
import type { Slurm } from "./slurm.ts";

/** Makes what asks the Slurm of a login host. */
export function makeSlurm(_deps: Deps, _login: Machine): Slurm {
  const reason = "entries of kind slurm cannot be used yet";
  return {
    submit: () => Promise.resolve({ type: "refused", reason }),
    look: () => Promise.resolve(null),
    cancel: () => Promise.resolve(reason),
    check: () => Promise.resolve(reason),
  };
}
