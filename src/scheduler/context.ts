/**
 * What the parts of the core share during a step: the state of the run, the time, and the list of effects. Only the files of
 * the core (`core.ts`, `attempts.ts`, `links.ts`) use it.
 *
 * @module
 */

import type { Jobs } from "../store/changes.ts";
import type { Candidates } from "./candidates.ts";
import type { Effect } from "./events.ts";
import type { Flights } from "./flights.ts";
import type { Machines } from "./machines.ts";
import type { Outcomes } from "./outcomes.ts";
import type { RunEvent } from "./report.ts";
import type { Slots } from "./slots.ts";

/** The state of a run. */
export interface RunContext {
  readonly jobs: Jobs;
  readonly machines: Machines;
  readonly flights: Flights;
  readonly slots: Slots;
  readonly candidates: Candidates;
  readonly outcomes: Outcomes;
  readonly timeoutMs: number;
  nowMs: number;
  /** Effects of the step that is going on. */
  effects: Effect[];
}

/** Adds an effect `report`. */
export function report(run: RunContext, event: RunEvent): void {
  run.effects.push({ type: "report", event });
}
