/**
 * Which attempts a host is to forbid when it is asked again. Part of the core; pure.
 *
 * @module
 */

import { keepsClaims } from "../agent/boot.ts";
import type { RunContext } from "./context.ts";
import { type InFlight, isOf, isUnseen, isUnseenInBacklog } from "./in_flight.ts";

/**
 * An attempt is forbidden in five cases: its host may have let it in from a backlog; its start is not wanted any more;
 * its claim was found unfinished, as its wrapper was ended in that moment or the disk was full; it was not seen to run
 * and its name led elsewhere since; or it is of an earlier run and was not seen to run. In the last case its job may be
 * deleted, and an unfinished claim would keep the machine from starting anything else. After another boot the claim may
 * be lost, and the attempt is only asked about. Claims of an allocation that is over are there: what was not seen to
 * run there is forbidden.
 */
export function isToForbid(run: RunContext, one: InFlight, boot: string | null): boolean {
  const isUnknown = (one.stage.at === "inherited" || one.stage.at === "away") &&
    run.jobs.get(one.job)?.status !== "start";
  const isStuck = (isUnseen(one) || one.stage.at === "given_up") && one.timesAsked > 0;
  if (!keepsClaims(one.boot, boot)) return false;
  const isOver = one.boot !== boot && isUnseen(one) && one.stage.at !== "given_up";
  return isOver || isUnknown || isStuck || isUnseenInBacklog(one) || isUnwanted(run, one);
}

/** True if the host has not said that it runs, and its job is to be ended, or is gone. */
export function isUnwanted(run: RunContext, one: InFlight): boolean {
  return isUnseen(one) && (one.isKillWanted || !isOf(one, run.jobs.get(one.job)));
}
