/**
 * The stage: what faults, people and the neighbour see of the course of a world.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobSpec } from "../job/job.ts";
import type { SimProcess } from "./process.ts";
import type { JobPlan } from "./scenario.ts";
import type { World } from "./world.ts";

/** A run that goes on. */
export interface Run {
  readonly process: SimProcess;
  readonly stop: AbortController;
}

/** What goes on in a world. */
export interface Stage {
  readonly world: World;
  /** Runs that go on, in order of their starts; more than one only where a lock is broken. */
  readonly runs: readonly Run[];
  readonly isCalm: boolean;
  /** Aborted when trouble is over: who waits for something leaves. */
  readonly calm: AbortSignal;
  /** Numbers for new names. */
  added: number;
  /** Names whose deletion somebody asked for. */
  readonly deleted: string[];
  readonly neighbour: { act(dice: readonly number[]): void } | null;
  /** A command of a person, beside what runs. */
  command(name: string, act: (deps: Deps, process: SimProcess) => Promise<unknown>, onDone?: () => void): SimProcess;
  /** Starts a run, as a person does who sees that none goes on. */
  startRun(): void;
  /** Specs of jobs as `queue add` takes them. */
  specsOf(jobs: readonly JobPlan[]): { name: string; spec: JobSpec }[];
}
