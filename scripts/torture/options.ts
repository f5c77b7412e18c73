/**
 * The options of `deno task torture`.
 *
 * @module
 */

import { parseArgs } from "node:util";

/** What a campaign is to be. */
export interface TortureOptions {
  /** All that is chosen follows from it; the moments also from the machine. */
  readonly seed: number;
  /** How long faults go on; what is begun is finished and judged after that. */
  readonly minutes: number;
  readonly hosts: number;
  /** Jobs of each round. */
  readonly jobs: number;
  /** Only faults whose names hold one of these; all if empty. */
  readonly only: readonly string[];
  /** One home directory for all hosts. */
  readonly sharedHome: boolean;
  /** Processes that list the queue without a pause. */
  readonly readers: number;
  /** Jobs have time limits and further tries, elsewhere where a host is silent. */
  readonly tries: boolean;
  /** Whether the directories are left there for a look. */
  readonly keep: boolean;
  /** The service instead of queues, see `service/soak.ts`. */
  readonly service: boolean;
  /** Questions about large queues, see `service/large.ts`. */
  readonly large: boolean;
  /** Queues on allocations of a Slurm, see `slurm/campaign.ts`. */
  readonly slurm: boolean;
}

/** Text for `--help`. */
export const USAGE =
  `Usage: deno task torture [--seed=N] [--minutes=N] [--hosts=N] [--jobs=N] [--only=WORD,...] [--shared-home] [--readers=N] [--keep]
       deno task torture --service [--large] [--minutes=N]
       deno task torture --engine=slurm [--seed=N] [--minutes=N] [--jobs=N]

  --seed     what is done, to whom and for how long follows from it (default: a fresh one, which is printed)
  --minutes  how long (default: 5; 0.5 is half a minute)
  --hosts    test hosts, from 1 to 16 (default: 4)
  --jobs     jobs of a round, from 1 to 5000 (default: 300); when they are done, the next round begins
  --only     only faults whose names hold one of these words, such as kill,cut
  --shared-home  all hosts share one home directory
  --readers  so many processes list the queue without a pause, from 0 to 50 (default: 0)
  --tries    jobs have time limits and further tries, elsewhere where a host is silent
  --keep     leave the manager's directory there, and say where
  --engine   ssh, or slurm: allocations are cancelled, nodes are lost, links, managers and slurmctld are killed
  --service  the executable's service instead: strangers and users who do what they must not, beside one honest user
  --large    requests of all kinds at once on large queues, and no honest user: what memory that takes

Needs root on Linux. Exit status 1 if an invariant was broken.
`;

/** The longest run that is believed to be meant. */
const MOST_MINUTES = 24 * 60;

/**
 * Reads the arguments.
 * @param freshSeed Used where none is given.
 * @returns The options, or `"help"`.
 * @throws {RangeError} If they are wrong; the message is one line.
 */
export function parseOptions(args: readonly string[], freshSeed: number): TortureOptions | "help" {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    seed: text,
    minutes: text,
    hosts: text,
    jobs: text,
    only: text,
    "shared-home": flag,
    readers: text,
    tries: flag,
    keep: flag,
    service: flag,
    large: flag,
    engine: text,
    help: { ...flag, short: "h" },
  };
  const { values } = (() => {
    try {
      return parseArgs({ args: [...args], options: options as typeof options & { help: { short: "h" } } });
    } catch (error) {
      throw new RangeError((error as Error).message, { cause: error });
    }
  })();
  if (values.help) return "help";
  const engine = values.engine ?? "ssh";
  if (engine !== "ssh" && engine !== "slurm") throw new RangeError(`--engine is ssh or slurm, not "${engine}"`);
  return {
    seed: whole("--seed", values.seed, freshSeed, { from: 0, to: 0xffffffff }),
    minutes: minutes(values.minutes),
    hosts: whole("--hosts", values.hosts, 4, { from: 1, to: 16 }),
    jobs: whole("--jobs", values.jobs, 300, { from: 1, to: 5000 }),
    only: (values.only ?? "").split(",").filter((word) => word !== ""),
    sharedHome: values["shared-home"] ?? false,
    readers: whole("--readers", values.readers, 0, { from: 0, to: 50 }),
    tries: values.tries ?? false,
    keep: values.keep ?? false,
    service: values.service ?? false,
    large: values.large ?? false,
    slurm: engine === "slurm",
  };
}

function whole(option: string, text: string | undefined, none: number, range: { from: number; to: number }): number {
  if (text === undefined) return none;
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= range.from && value <= range.to) return value;
  throw new RangeError(`${option} is a whole number from ${range.from} to ${range.to}, not "${text}"`);
}

function minutes(text: string | undefined): number {
  if (text === undefined) return 5;
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value > 0 && value <= MOST_MINUTES) return value;
  throw new RangeError(`--minutes is a number above 0, at most ${MOST_MINUTES}, not "${text}"`);
}
