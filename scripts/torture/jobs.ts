/**
 * The jobs of a campaign. Each writes down what it does in a file of its own on its host, `~/ran/HOST/JOB`, which
 * nothing of the program touches: what counts is what ran, not what was printed.
 *
 * How long a job takes and how it ends stands in its name, so that all have the same command: `PREFIX-KIND-BEATS-CODE`.
 *
 * @module
 */

import type { Random } from "./random.ts";

/** `stubborn` ignores TERM, `leaves` leaves a process behind, `dies` kills itself. */
const KINDS = [
  { kind: "plain", weight: 12 },
  { kind: "stubborn", weight: 2 },
  { kind: "leaves", weight: 2 },
  { kind: "dies", weight: 1 },
] as const;

/** How long jobs take. */
export interface Lengths {
  /** Beats that most of them take at most. */
  readonly short: number;
  /** One in so many takes up to `longest` beats. */
  readonly oneIn: number;
  readonly longest: number;
}

/** Names of this many jobs. */
export function planNames(prefix: string, count: number, random: Random, lengths: Lengths = MIXED): string[] {
  const { short, oneIn, longest } = lengths;
  const width = String(count).length;
  return Array.from({ length: count }, (_, i) => {
    const { kind } = random.weighted(KINDS);
    const beats = random.next() < 1 / oneIn ? random.whole(short, longest) : random.whole(0, short);
    const code = random.next() < 0.1 ? random.whole(1, 100) : 0;
    return `${prefix}${String(i + 1).padStart(width, "0")}-${kind}-${beats}-${code}`;
  });
}

/** Most take up to 1.5 s. */
export const MIXED: Lengths = { short: 15, oneIn: 12, longest: 250 };
/** Jobs so short that the manager sends them ahead. */
export const QUICK: Lengths = { short: 1, oneIn: 100, longest: 50 };

/**
 * The command of all jobs, for any POSIX shell. Lines of the record: what, attempt, uptime, and at the end the exit
 * code. `S` start, `B` still there, `X` about to kill itself, `E` about to end.
 */
export const COMMAND = `n=\${PWD##*/}
case $n in *.????????????????) case \${n##*.} in *[!0-9a-f]*) ;; *) n=\${n%.*} ;; esac ;; esac
c=\${n##*-} r=\${n%-*}; b=\${r##*-} r=\${r%-*}; k=\${r##*-}
read -r h </proc/sys/kernel/hostname
w() { read -r u v </proc/uptime; echo "$1 $CLOUDMESH_JOB $u $2" >>~/ran/"$h"/"$n"; }
w S -
case $k in stubborn) trap '' TERM ;; leaves) (setsid sleep 2 &) ;; esac
while [ "$b" -gt 0 ]; do sleep 0.1; b=$((b - 1)); w B -; done
printf 'no line break'
[ "$k" != dies ] || { w X -; kill -9 $$; }
w E "$c"
exit "$c"`;

/** What jobs may ask for besides. Times in ms. */
export interface Tries {
  readonly retries: number;
  readonly limitMs: number;
  readonly graceMs: number;
}

/** Of all jobs of a campaign with `--tries`. */
export const TRIES: Tries = { retries: 2, limitMs: 4_000, graceMs: 1_000 };

/** Arguments of `queue add` that ask for it. */
export function triesWords({ retries, limitMs, graceMs }: Tries): string[] {
  const on = "exit,crash,start,time_limit,lost";
  return [
    `--retries=${retries}`,
    "--retry-delay=1s",
    `--retry-on=${on}`,
    `--time-limit=${limitMs / 1000}s`,
    `--grace=${graceMs / 1000}s`,
  ];
}

/** The same for the jobs of a second queue, which have the same names: they write into `~/rival/`. */
export const RIVAL_COMMAND = COMMAND.replaceAll("~/ran/", "~/rival/");

/** One start of a job, as it wrote it down itself. */
export interface Ran {
  readonly job: string;
  readonly host: string;
  /** `JOBID.N`. */
  readonly attempt: string;
  /** Uptime in ms of the start. */
  readonly startMs: number;
  /** When it was last known to run. */
  readonly lastMs: number;
  /** Exit code it was about to end with; null if it did not come so far. */
  readonly code: number | null;
  /** It was about to kill itself. */
  readonly dying: boolean;
}

/**
 * Reads a record. A line that a power cut tore does not count.
 * @returns One for each start; lines of an attempt that come before its start make a start of their own, as nothing may
 * run twice.
 */
export function parseRecord(job: string, host: string, text: string): Ran[] {
  const runs: { -readonly [K in keyof Ran]: Ran[K] }[] = [];
  for (const line of text.split("\n")) {
    const [, what, attempt, uptime, code] = /^([SBXE]) (\S+\.\d+) (\d+\.\d\d) (-|\d+)$/.exec(line) ?? [];
    if (what === undefined || attempt === undefined) continue;
    const atMs = Math.round(Number(uptime) * 1000);
    let run = runs.findLast((each) => each.attempt === attempt);
    if (what === "S" || run === undefined) {
      run = { job, host, attempt, startMs: atMs, lastMs: atMs, code: null, dying: false };
      runs.push(run);
    }
    run.lastMs = Math.max(run.lastMs, atMs);
    if (what === "E") run.code = Number(code);
    if (what === "X") run.dying = true;
  }
  return runs;
}
