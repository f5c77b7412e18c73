/**
 * `deno task simulate --slurm`: many jobs on simulated allocations of Slurm that last ten minutes each.
 *
 * @module
 */

import { faultsOf, playScenario } from "../../src/simulation/slurm_scenario.ts";
import { GOOD_LUCK } from "../../src/simulation/slurm_site.ts";

/** Most of the slot time that may be idle. */
const MOST_IDLE = 0.05;

/** Plays it, and tells what came of it. @returns The exit status. */
export function measureSlurm(
  { seed, jobs, allocations }: { seed: number; jobs: number; allocations: number },
  tell: (line: string) => void,
): number {
  const played = playScenario({ seed, jobs, allocations, slots: 4, meanMs: 30_000, luck: GOOD_LUCK });
  const share = played.idleMs / played.slotMs;
  const hours = played.virtualMs / 3_600_000;
  tell(`${jobs} jobs of 3 to 57 s, ${allocations} allocations of 10 minutes at once, 4 slots each; seed ${seed}`);
  tell(
    `${played.allocations} allocations in ${hours.toFixed(2)} hours; ${(100 * share).toFixed(2)} % of slot time idle`,
  );
  tell(
    `${played.submits} submits, ${played.looks} looks: ${((played.submits + played.looks) / hours).toFixed(0)} an hour`,
  );
  const faults = faultsOf(played);
  for (const fault of faults) tell(`VIOLATION: ${fault}`);
  if (share > MOST_IDLE) tell(`VIOLATION: more than ${100 * MOST_IDLE} % of slot time is idle`);
  return faults.length === 0 && share <= MOST_IDLE ? 0 : 1;
}
