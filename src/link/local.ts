/**
 * The way to the manager's own machine: the same agent under a local `sh`, no ssh.
 *
 * @module
 */

import { oneLine } from "./ssh.ts";
import type { Way } from "./way.ts";

/** The way to this machine itself. @param command The shell. */
export function localWay(command: readonly string[]): Way {
  return {
    command,
    explain: (noise, code) => {
      const last = oneLine(noise);
      return { reason: `its shell ended with ${code}${last === "" ? "" : `: ${last}`}`, lasting: false };
    },
    // The directories of manager and host are the same.
    stage: () => Promise.resolve(),
  };
}
