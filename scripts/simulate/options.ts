/**
 * The options of `deno task simulate`.
 *
 * @module
 */

import { parseArgs } from "node:util";

/** What to play. */
export interface SimulateOptions {
  /** First seed. */
  readonly seed: number;
  readonly seeds: number;
  /** Sizes of each world; undefined: as the seed has it. */
  readonly hosts: number | undefined;
  readonly jobs: number | undefined;
  readonly steps: number | undefined;
  readonly workers: number;
  /** Whether all that happens is printed. */
  readonly trace: boolean;
  /** Not null: measure a run without faults over hosts this far away, ms there and back, with jobs of `durationMs`. */
  readonly rttMs: number | null;
  readonly durationMs: number;
  /** Play jobs on allocations of Slurm, `hosts` of them at once. */
  readonly isSlurm: boolean;
}

/** Text for `--help`. */
export const USAGE =
  `Usage: deno task simulate [--seed=N] [--seeds=N] [--steps=N] [--hosts=N] [--jobs=N] [--workers=N] [--trace]
       deno task simulate --rtt=MS --hosts=N --jobs=N [--duration=MS]
       deno task simulate --slurm [--hosts=N] [--jobs=N] [--seed=N]

  --seed      the first world (default: a random one, which is printed)
  --seeds     how many worlds (default: 1)
  --steps     how many faults and deeds of people in each world; 0 for none (default: as the seed has it)
  --hosts     how many machines (default: as the seed has it, up to 50)
  --jobs      how many jobs (default: as the seed has it, up to 500)
  --workers   how many worlds at once (default: 2)
  --trace     print all that happens
  --rtt       measure the makespan of a run without faults, on hosts that are MS milliseconds away, there and back
  --duration  how long each job of that run takes (default: 1000)
  --slurm     jobs (default: 100000) on allocations of Slurm of 10 minutes, so many at once (default: 50)
`;

const NUMBERS = ["seed", "seeds", "steps", "hosts", "jobs", "workers", "rtt", "duration"] as const;

/**
 * Reads the arguments. @param random Gives a seed where none is named.
 * @returns The options, or `"help"`. @throws {RangeError} If they are wrong; the message is one line.
 */
export function parseOptions(args: readonly string[], random: () => number): SimulateOptions | "help" {
  const { values } = (() => {
    try {
      return parseArgs({
        args: [...args],
        options: {
          ...Object.fromEntries(NUMBERS.map((name) => [name, { type: "string" as const }])),
          trace: { type: "boolean" },
          slurm: { type: "boolean" },
          help: { type: "boolean", short: "h" },
        },
      });
    } catch (error) {
      throw new RangeError((error as Error).message, { cause: error });
    }
  })();
  if (values.help === true) return "help";
  const number = (name: typeof NUMBERS[number]): number | undefined => {
    const text = (values as Record<string, string | boolean | undefined>)[name];
    if (text === undefined) return undefined;
    const least = name === "steps" || name === "seed" || name === "rtt" ? 0 : 1;
    if (typeof text === "string" && /^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    throw new RangeError(`Cannot use ${JSON.stringify(text)} as --${name}: give a whole number from ${least}`);
  };
  return {
    seed: number("seed") ?? random(),
    seeds: number("seeds") ?? 1,
    steps: number("steps"),
    hosts: number("hosts"),
    jobs: number("jobs"),
    workers: number("workers") ?? 2,
    trace: values.trace === true,
    isSlurm: values.slurm === true,
    rttMs: number("rtt") ?? null,
    durationMs: number("duration") ?? 1_000,
  };
}
