/**
 * The slots of attempts of an earlier run, when another name of their machine counts. Part of the core; pure but for
 * the context that it changes.
 *
 * @module
 */

import type { Backlogs } from "./backlogs.ts";
import type { RunContext } from "./context.ts";
import type { InFlight } from "./in_flight.ts";

/**
 * Those of an earlier run take their slots anew on this machine. What this run started has the slot that it was started
 * in; its record may not be written yet.
 */
export function charge(run: RunContext, backlogs: Backlogs, machine: string, those: readonly InFlight[]): void {
  const charged = those.filter(({ request, stage }) =>
    request === null && stage.at !== "backlog" && stage.at !== "given_up"
  );
  for (const { job } of charged) run.slots.giveBack(job);
  for (const { job, share } of charged) run.slots.adopt(job, machine, run.jobs.get(job)?.slot ?? null, share);
  if (charged.some(({ share }) => share !== null)) backlogs.doubt(machine);
}
