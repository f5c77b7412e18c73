/**
 * Plays worlds, and looks for the shortest story of a failure.
 *
 * @module
 */

import { Course } from "./course.ts";
import { drawScenario } from "./draw_scenario.ts";
import type { Scenario, ScenarioSizes } from "./scenario.ts";
import { World, type WorldOptions } from "./world.ts";

/** What came of a world. */
export interface Played {
  readonly scenario: Scenario;
  /** What must never be, and was; null if all is well. */
  readonly violation: string | null;
  /** Equal for equal traces. */
  readonly traceHash: string;
  /** Things that happened, starts of jobs, virtual time. */
  readonly events: number;
  readonly starts: number;
  readonly virtualMs: number;
}

/** Plays one world. */
export async function play(scenario: Scenario, options: WorldOptions): Promise<Played> {
  const world = new World(scenario, options);
  const beginMs = world.timeline.nowMs;
  try {
    await new Course(world).play();
  } catch (error) {
    world.truth.fail(`the simulation fails: ${(error as Error).stack ?? error}`);
  }
  return {
    scenario,
    violation: world.truth.violation,
    traceHash: world.traceHash,
    events: world.timeline.happened,
    starts: world.truth.startsInAll,
    virtualMs: world.timeline.nowMs - beginMs,
  };
}

/** Plays the world of a seed. */
export function simulate(seed: number, sizes: ScenarioSizes, options: WorldOptions): Promise<Played> {
  return play(drawScenario(seed, sizes), options);
}

/** A violation without its names and numbers. */
export function kindOf(violation: string): string {
  return violation.replaceAll(/[0-9a-f]{32}/g, "ID").replaceAll(/\d+/g, "N").slice(0, 60);
}

/** Tries that the search for a shorter story may take. */
const MOST_TRIES = 200;

/**
 * Makes the story of a failure shorter while it still fails: fewer faults, fewer jobs, fewer hosts, an earlier end of
 * trouble.
 * @returns The last that failed.
 */
export async function shrink(failed: Played, options: WorldOptions): Promise<Played> {
  let best = failed;
  let tries = 0;
  const attempt = async (change: Partial<Scenario>): Promise<boolean> => {
    if (tries++ >= MOST_TRIES) return false;
    const played = await play({ ...best.scenario, ...change }, options);
    if (played.violation === null || kindOf(played.violation) !== kindOf(failed.violation ?? "")) return false;
    best = played;
    return true;
  };
  for (let size = Math.ceil(best.scenario.faults.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.scenario.faults.length && tries < MOST_TRIES;) {
      if (!await attempt({ faults: best.scenario.faults.toSpliced(at, size) })) at += size;
    }
  }
  for (let left = Math.floor(best.scenario.jobs.length / 2); left >= 1; left = Math.floor(left / 2)) {
    const { jobs } = best.scenario;
    if (left >= jobs.length) continue;
    if (!await attempt({ jobs: jobs.slice(0, left) })) await attempt({ jobs: jobs.slice(-left) });
  }
  for (let left = Math.floor(best.scenario.hosts.length / 2); left >= 1; left = Math.floor(left / 2)) {
    if (left < best.scenario.hosts.length) await attempt({ hosts: best.scenario.hosts.slice(0, left) });
  }
  const lastMs = best.scenario.faults.at(-1)?.atMs ?? 0;
  if (lastMs + 1_000 < best.scenario.troubleMs) await attempt({ troubleMs: lastMs + 1_000 });
  return best;
}

/** A failure in words: the scenario as it was made shorter, and what happened in it. */
export async function tell(failed: Played, options: WorldOptions): Promise<string[]> {
  const lines: string[] = [];
  const again = await play(failed.scenario, { ...options, trace: (line) => lines.push(line) });
  const { scenario } = again;
  return [
    `${scenario.scheduler}, ${scenario.hosts.length} hosts, ${scenario.jobs.length} jobs, ${scenario.faults.length} faults`,
    ...lines,
    `VIOLATION: ${again.violation}`,
  ];
}
