/**
 * The options of `deno task bench`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { resolve } from "node:path";

/** What to measure, and how. */
export interface BenchOptions {
  /** Names of benches; empty: all. */
  readonly names: readonly string[];
  /** Rounds that are counted; null: as the bench has it. */
  readonly rounds: number | null;
  /** Number of jobs; null: as the bench has it. */
  readonly jobs: number | null;
  /** How long a page is looked at, or a run goes on, in seconds; null: as the bench has it. */
  readonly seconds: number | null;
  /** Path of an executable to measure; null: the sources. */
  readonly binary: string | null;
  /** Paths of other executables that `start` measures beside it, such as older ones. */
  readonly beside: readonly string[];
  /** Contenders that are left out, by the beginning of their names. */
  readonly without: readonly string[];
  /** Seconds that each run waits at most for a quiet machine; 0: none. */
  readonly quiet: number;
  /** File for the figures; null: one in the directory for temporary files. */
  readonly json: string | null;
  /** File with the figures of an earlier run, to compare with; null: none. */
  readonly against: string | null;
  /** Whether a mark that is missed, or an answer that got worse, makes the exit status 1. */
  readonly check: boolean;
}

/** Text for `--help`; the list of benches follows it. */
export const USAGE = `Usage: deno task bench [NAME...] [--rounds=N] [--jobs=N] [--seconds=N] [--binary=dist/cms]
                       [--beside=FILE,...] [--without=CONTENDER,...] [--quiet=SECONDS] [--json=FILE] [--against=FILE] [--check]

  --rounds   rounds that are counted; each runs every contender once, in turn
  --jobs     how many jobs (of \`store\`: how many at most)
  --seconds  how long \`dashboard\` looks at the page (default: 300), and \`million\` runs its queue (120)
  --binary   the executable to measure (default: the program from its sources)
  --beside   other executables, such as older ones, that \`start\` measures in the same rounds
  --without  contenders that are left out, by the beginnings of their names
  --quiet    how long each run waits at most until nobody else uses the processors (default: 10; 0: not at all)
  --json     file for all figures (default: one in the directory for temporary files)
  --against  compare with the figures of an earlier run, such as bench/history/0.1.0.json
  --check    exit with 1 if a mark is missed, or an answer is worse than that of --against
`;

/**
 * Reads the arguments.
 * @returns The options, or `"help"`.
 * @throws {RangeError} If they are wrong; the message is one line.
 */
export function parseOptions(args: readonly string[]): BenchOptions | "help" {
  const text = { type: "string" } as const;
  const options = {
    rounds: text,
    jobs: text,
    seconds: text,
    binary: text,
    beside: text,
    without: text,
    quiet: text,
    json: text,
    against: text,
  } as const;
  const flags = { check: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
  const { values, positionals } = (() => {
    try {
      return parseArgs({ args: [...args], options: { ...options, ...flags }, allowPositionals: true });
    } catch (error) {
      throw new RangeError((error as Error).message, { cause: error });
    }
  })();
  if (values.help) return "help";
  return {
    names: positionals,
    rounds: count("--rounds", values.rounds),
    jobs: count("--jobs", values.jobs),
    seconds: count("--seconds", values.seconds),
    binary: values.binary === undefined ? null : resolve(values.binary),
    beside: words(values.beside).map((path) => resolve(path)),
    without: words(values.without),
    quiet: values.quiet === "0" ? 0 : count("--quiet", values.quiet) ?? 10,
    json: values.json === undefined ? null : resolve(values.json),
    against: values.against === undefined ? null : resolve(values.against),
    check: values.check ?? false,
  };
}

function words(list: string | undefined): string[] {
  return (list ?? "").split(",").filter((word) => word !== "");
}

function count(option: string, value: string | undefined): number | null {
  if (value === undefined) return null;
  if (/^[1-9]\d{0,6}$/.test(value)) return Number(value);
  throw new RangeError(`${option} is a whole number from 1, not "${value}"`);
}
