/**
 * The way to the manager's own machine: the same agent under a local `sh`, no ssh.
 *
 * @module
 */

import type { Way } from "./agent_link.ts";
import { oneLine } from "./ssh.ts";

/** @param command The shell. */
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
