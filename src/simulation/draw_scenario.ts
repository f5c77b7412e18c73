/**
 * Draws from a seed what a world is made of and what will happen to it.
 *
 * @module
 */

import { randomOf } from "./random.ts";
import {
  type Fault,
  FAULTS,
  HANDS,
  type HostPlan,
  type JobPlan,
  type Scenario,
  type ScenarioSizes,
} from "./scenario.ts";
import { drawNeeds } from "./needs.ts";
import { drawSilence } from "./silence.ts";
import { drawStillTimes } from "./still_times.ts";
import { drawWishes } from "./wishes.ts";

/**
 * With these a run may be gone before it has written anew what was removed; a person's edit may be what was removed.
 */
const ENDS_RUN = /^(kill_run|power_manager|stop_run_process|second_run|disk_full|graceful_stop|edit_.*)$/;

/** The largest worlds that a seed draws by itself. */
const MOST_HOSTS = 50;
const MOST_JOBS = 500;
const MOST_STEPS = 60;

const MOST_UNUSUAL = 10;
const MOST_NEIGHBOURS = 30;
const MOST_INPUTS = 30;

/** Commands hold what a shell would trip over. */
const COMMENTS = ["", " # it's", ' # "$HOME" `id` \\', " # ; } { cms_kill 1", " # é\t*"];

/** Draws a world. */
export function drawScenario(seed: number, sizes: ScenarioSizes = {}): Scenario {
  const random = randomOf(seed, "scenario");
  const hostCount = sizes.hosts ?? Math.round(random.logBetween(1, MOST_HOSTS));
  const jobCount = sizes.jobs ?? Math.round(random.logBetween(1, MOST_JOBS));
  const steps = sizes.steps ?? Math.round(random.logBetween(1, MOST_STEPS));
  const scheduler = random.chance(0.25) ? "fifo" : "fifo_multi";
  const latencyMs = random.logBetween(0.1, 200);
  const preemption = random.pick([0, 0.01, 0.1, 0.5]);
  const hosts = Array.from({ length: hostCount }, (_, i): HostPlan => {
    const isLocal = i === 0 && random.chance(0.15);
    const entries = random.chance(0.2) ? 2 : 1;
    const hasGpus = random.chance(0.5);
    return {
      key: isLocal ? "localhost" : `me@host${i}`,
      latencyMs: latencyMs * random.between(0.5, 2),
      preemption,
      pids: random.pick([140, 400, 32_768]),
      entries: Array.from({ length: entries }, (_, k) => ({
        id: k === 0 ? `h${i}` : `h${i}-${k}`,
        capacity: random.chance(0.6) ? 1 : 1 + random.below(4),
        gpu: entries > 1 && hasGpus ? String(k) : "",
      })),
    };
  });
  const slots = hosts.reduce((sum, { entries }) => sum + entries.reduce((all, { capacity }) => all + capacity, 0), 0);
  const maxParallel = 1 + random.below(8);
  // Long enough that something is going on while trouble lasts, and short enough that the world ends soon.
  const troubleMs = random.logBetween(2_000, 60_000);
  const width = scheduler === "fifo" ? maxParallel : slots;
  const meanMs = Math.min(20_000, Math.max(20, troubleMs * width / jobCount));
  const jobs = Array.from({ length: jobCount }, (_, i): JobPlan => ({
    name: `job${i}`,
    // What is unusual is slow to read and write, and a few of each kind tell as much as hundreds.
    command: drawCommand(random, meanMs, i < MOST_UNUSUAL),
    host: random.below(hostCount),
  }));
  // Not everything goes wrong in every world: what is rare in a mixture is common where it is alone.
  const kinds = FAULTS.filter(() => random.chance(0.4));
  const faults = kinds.length === 0 ? [] : Array.from({ length: steps }, (): Fault => ({
    atMs: random.between(0, troubleMs),
    kind: random.pick(kinds),
    dice: Array.from({ length: 4 }, () => random.next()),
  })).sort((a, b) => a.atMs - b.atMs);
  const surroundings = drawSurroundings(seed, hosts, { steps, troubleMs });
  const wished = steps === 0 ? null : drawWishes(seed, jobs.map(({ name }) => name));
  const mayEnd = wished !== null || kinds.some((kind) => ENDS_RUN.test(kind));
  const hands = drawHands(seed, mayEnd, { steps, troubleMs });
  const edits = drawEdits(seed, wished?.edits ?? 0, troubleMs);
  const moves = drawMoves(seed, wished !== null, troubleMs);
  const inputs = drawInputs(seed, jobs, { steps, troubleMs });
  const neighbour = drawNeighbour(seed, jobs, { steps, troubleMs, meanMs });
  const limited = drawLimits(
    seed,
    wished === null ? jobs : jobs.map((job) => ({ ...job, wishes: wished.of.get(job.name)! })),
  );
  return drawSilence({
    seed,
    scheduler,
    maxParallel,
    timeoutMs: random.pick([10_000, 30_000, 60_000]),
    syncMs: random.logBetween(0.2, 20),
    // Slow, so that runs do not spend their days on writing the YAML.
    writeMsPerByte: 0.004,
    ...drawNeeds(seed, { hosts: surroundings.hosts, jobs: limited }, { steps, scheduler, troubleMs }),
    ...(neighbour === null ? {} : { neighbour: neighbour.jobs }),
    inputs: inputs.jobs,
    sends: drawSends(seed, jobs, steps),
    troubleMs,
    faults: [
      ...faults,
      ...surroundings.faults,
      ...hands,
      ...edits,
      ...moves,
      ...drawStillTimes(seed, scheduler, { steps, troubleMs }),
      ...neighbour?.faults ?? [],
      ...inputs.faults,
    ].sort((
      a,
      b,
    ) => a.atMs - b.atMs),
  });
}

/**
 * Shared homes, names that lead now to one machine and now to another, equal host names: drawn apart, so that the rest
 * stays as it is.
 */
function drawSurroundings(
  seed: number,
  hosts: readonly HostPlan[],
  { steps, troubleMs }: { steps: number; troubleMs: number },
): { hosts: readonly HostPlan[]; faults: Fault[] } {
  const random = randomOf(seed, "surroundings");
  if (steps === 0 || random.chance(0.5)) return { hosts, faults: [] };
  const [share, many, equal, named] = [0.6, 0.6, 0.3, 0.4].map((chance) => random.chance(chance));
  const faults = many
    ? Array.from({ length: 1 + random.below(6) }, (): Fault => ({
      atMs: random.between(0, troubleMs),
      kind: "reroute",
      dice: Array.from({ length: 4 }, () => random.next()),
    }))
    : [];
  const managers = share && random.chance(0.5);
  const around = hosts.map((host, i): HostPlan =>
    host.key === "localhost" ? host : named && random.chance(0.4) ? withAlias(host, `me@alias${i}`) : {
      ...host,
      ...(share ? { sharesHome: true } : {}),
      ...(managers ? { sharesManager: true } : {}),
      ...(many && random.chance(0.5) ? { nodes: 2 } : {}),
      ...(equal ? { hostname: "node" } : {}),
    }
  );
  return { hosts: around, faults };
}

/** What comes to the manager's files and clocks: drawn apart as well. */
function drawHands(seed: number, mayEnd: boolean, { steps, troubleMs }: { steps: number; troubleMs: number }): Fault[] {
  const random = randomOf(seed, "hands");
  if (steps === 0 || random.chance(0.5)) return [];
  const kinds = HANDS.filter((kind) => random.chance(0.6) && !(mayEnd && kind.startsWith("remove")));
  return kinds.length === 0 ? [] : Array.from({ length: 1 + random.below(12) }, (): Fault => ({
    atMs: random.between(0, troubleMs),
    kind: random.pick(kinds),
    dice: Array.from({ length: 3 }, () => random.next()),
  }));
}

/** In some worlds some jobs have input files. */
function drawInputs(
  seed: number,
  jobs: readonly JobPlan[],
  { steps, troubleMs }: { steps: number; troubleMs: number },
): { jobs: string[]; faults: Fault[] } {
  const random = randomOf(seed, "inputs");
  if (steps === 0 || random.chance(0.6)) return { jobs: [], faults: [] };
  const some = random.between(0.05, 0.9);
  return {
    jobs: jobs.slice(0, MOST_INPUTS).filter(() => random.chance(some)).map(({ name }) => name),
    faults: Array.from({ length: random.below(8) }, (): Fault => ({
      atMs: random.between(0, troubleMs),
      kind: "break_copy",
      dice: [0, random.next()],
    })),
  };
}

/** In some worlds some jobs send files: one that is the same for all, and one of their own. */
function drawSends(seed: number, jobs: readonly JobPlan[], steps: number): string[] {
  const random = randomOf(seed, "sends");
  if (steps === 0 || random.chance(0.75)) return [];
  const some = random.between(0.05, 0.9);
  return jobs.slice(0, MOST_INPUTS).filter(() => random.chance(some)).map(({ name }) => name);
}

/** Edits of wishes: drawn apart as well. */
function drawEdits(seed: number, count: number, troubleMs: number): Fault[] {
  const random = randomOf(seed, "edits");
  return Array.from({ length: count }, (): Fault => ({
    atMs: random.between(0, troubleMs),
    kind: "edit_wish",
    dice: [random.next()],
  }));
}

/** Moves in the order of the queue: drawn apart as well. */
function drawMoves(seed: number, isWished: boolean, troubleMs: number): Fault[] {
  const random = randomOf(seed, "moves");
  return Array.from({ length: isWished && random.chance(0.5) ? 2 + random.below(6) : 0 }, (): Fault => ({
    atMs: random.between(0, troubleMs),
    kind: "move",
    dice: [random.next()],
  }));
}

/** Time limits, which the command names too: drawn apart as well. */
function drawLimits(seed: number, jobs: readonly JobPlan[]): readonly JobPlan[] {
  const random = randomOf(seed, "limits");
  if (random.chance(0.5)) return jobs;
  return jobs.map((job) => {
    if (random.chance(0.7)) return job;
    const limit = Math.round(random.logBetween(20, 20_000));
    return { ...job, command: job.command.replace(/^work \d+ \d+/, `$& limit${limit}`) };
  });
}

/** A second queue, and what is done to it: drawn apart as well. */
function drawNeighbour(
  seed: number,
  jobs: readonly JobPlan[],
  { steps, troubleMs, meanMs }: { steps: number; troubleMs: number; meanMs: number },
): { jobs: readonly JobPlan[]; faults: Fault[] } | null {
  const random = randomOf(seed, "neighbour");
  if (steps === 0 || random.chance(0.6)) return null;
  const count = 1 + random.below(Math.min(jobs.length, MOST_NEIGHBOURS));
  return {
    jobs: jobs.slice(0, count).map((job) => ({ ...job, command: drawCommand(random, meanMs, false) })),
    faults: Array.from({ length: random.below(10) }, (): Fault => ({
      atMs: random.between(0, troubleMs),
      kind: "neighbour",
      dice: [random.next()],
    })),
  };
}

/** The same with one more entry, under another name. */
function withAlias(host: HostPlan, alias: string): HostPlan {
  const [first] = host.entries;
  return { ...host, alias, entries: [...host.entries, { ...first!, id: `${first!.id}-a`, isAlias: true }] };
}

/** A command that `workOf` reads. */
export function drawCommand(random: { next(): number }, meanMs: number, mayBeUnusual = true): string {
  const dice = random.next();
  const ms = Math.round(meanMs * (0.1 + 1.8 * random.next()));
  const code = dice < 0.8 ? 0 : dice < 0.9 ? 1 : dice < 0.95 ? 130 : 143;
  const words = ["deaf", "signal", "leaves"].filter(() => random.next() < 0.05).map((word) => ` ${word}`).join("");
  const comment = COMMENTS[Math.floor(random.next() * COMMENTS.length)]!;
  return `work ${ms} ${code}${words}${mayBeUnusual ? comment : ""}`;
}
