/**
 * How long a run takes on hosts that are far away, without any trouble, against the time that their slots alone would
 * take.
 *
 * @module
 */

import { Course } from "./course.ts";
import type { Scenario } from "./scenario.ts";
import { World } from "./world.ts";

/** What to measure. */
export interface MakespanRequest {
  readonly seed: number;
  /** Machines with one slot each. */
  readonly hosts: number;
  readonly jobs: number;
  /** Work of each job. */
  readonly durationMs: number;
  /** There and back. */
  readonly rttMs: number;
  /** How long the manager's disk takes for a byte; as fast as a disk is unless given. */
  readonly writeMsPerByte?: number;
}

/** What came of it, in virtual time. */
export interface Makespan {
  /** From the start of the run until it has ended, all links closed. */
  readonly makespanMs: number;
  /** From the first start of a job to the last end. */
  readonly busyMs: number;
  /** As many jobs one after the other as each slot gets. */
  readonly idealMs: number;
  /** Things that happened in the world. */
  readonly events: number;
  /** What must never be, and was; null if all is well. */
  readonly violation: string | null;
}

/** Runs the jobs of one queue. `turn`: as {@link World} takes it. */
export async function measureMakespan(request: MakespanRequest, turn: () => Promise<void>): Promise<Makespan> {
  const { seed, hosts, jobs, durationMs, rttMs, writeMsPerByte = 1e-5 } = request;
  const scenario: Scenario = {
    seed,
    scheduler: "fifo_multi",
    maxParallel: 1,
    timeoutMs: 600_000,
    syncMs: 1,
    writeMsPerByte,
    hosts: Array.from({ length: hosts }, (_, i) => ({
      key: `me@host${i}`,
      latencyMs: rttMs / 2,
      isSteady: true,
      preemption: 0,
      pids: 32_768,
      entries: [{ id: `h${i}`, capacity: 1, gpu: "" }],
    })),
    jobs: Array.from({ length: jobs }, (_, i) => ({ name: `job${i}`, command: `work ${durationMs} 0`, host: 0 })),
    troubleMs: 0,
    faults: [],
  };
  const world = new World(scenario, { turn });
  const course = new Course(world);
  await course.play();
  const span = course.spans[0] ?? { beganMs: 0, endedMs: 0 };
  const { violation, startsInAll } = world.truth;
  return {
    makespanMs: span.endedMs - span.beganMs,
    busyMs: world.truth.lastEndMs - world.truth.firstStartMs,
    idealMs: Math.ceil(jobs / hosts) * durationMs,
    events: world.timeline.happened,
    violation: violation ?? (startsInAll === jobs ? null : `of ${jobs} jobs ${startsInAll} were started`),
  };
}
