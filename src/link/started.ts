/**
 * Starts programs of the manager that work for one machine.
 *
 * @module
 */

import { type Machine, machineText } from "../cluster/machine.ts";
import type { Child, Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import { codeOf } from "../system_errors.ts";
import { oneLine } from "./ssh.ts";

/** Starts a program. @throws {LinkError} If it cannot be started, as where this process may open no more files. */
export function startFor(
  { processes }: Pick<Deps, "processes">,
  machine: Machine,
  command: readonly string[],
  options?: { env?: Record<string, string>; spare?: number },
): Child {
  try {
    return processes.spawn(command, options);
  } catch (cause) {
    const reason = oneLine(cause instanceof Error ? cause.message : String(cause));
    // Files become free again.
    const isLasting = !["EMFILE", "ENFILE"].includes(codeOf(cause));
    throw new LinkError(machineText(machine), reason, isLasting, { cause });
  }
}
