/**
 * What the parts of the core share during a step: the state of the run, the time, and the list of effects. Only the
 * parts of the core use it.
 *
 * @module
 */

import type { Jobs } from "../store/changes.ts";
import type { Candidates } from "./candidates.ts";
import type { Effect } from "./events.ts";
import type { InFlight } from "./in_flight.ts";
import type { InFlightSet } from "./in_flight_set.ts";
import type { Machines } from "./machines.ts";
import type { Outcomes } from "./outcomes.ts";
import { type RunEvent, RUNNING_TOLD } from "./report.ts";
import type { Slots } from "./slots.ts";

/** The state of a run. */
export interface RunContext {
  readonly jobs: Jobs;
  readonly machines: Machines;
  readonly inFlight: InFlightSet;
  readonly slots: Slots;
  readonly candidates: Candidates;
  readonly outcomes: Outcomes;
  readonly timeoutMs: number;
  /** Time limit of jobs that have none of their own, as a person wrote it; null for none. */
  readonly timeLimit: string | null;
  /** Name of the queue. */
  readonly queue: string;
  nowMs: number;
  /** The wall clock, by which times are written down, is so far ahead of `nowMs`. */
  wallAheadMs: number;
  /** Effects of the step that is going on. */
  effects: Effect[];
}

/** Adds an effect `report`. */
export function report(run: RunContext, event: RunEvent): void {
  run.effects.push({ type: "report", event });
}

/** Reports, once, that a job has its slot. */
export function reportStart(run: RunContext, one: InFlight): void {
  if (one.isReported) return;
  one.isReported = true;
  run.outcomes.begin(one.job);
  const { inFlight } = run;
  // Of thousands not all are gone through with each start.
  const running = inFlight.names(RUNNING_TOLD);
  report(run, { type: "starting", job: one.job, machine: one.shown, running, count: inFlight.running });
}
