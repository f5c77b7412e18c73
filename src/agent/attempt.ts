/**
 * One attempt of a job as manager and host speak of it: what a start needs, and what the host knows. See `link/link.ts`
 * for the words.
 *
 * @module
 */

import type { AttemptId, AttemptRef } from "../job/attempt.ts";
import type { Environment } from "../names/environment.ts";
import { quote } from "../names/quote.ts";

/** One start of one job, complete: all that the host needs. */
export interface StartRequest extends AttemptRef {
  /** Program that runs the script; a bare name or a path. */
  readonly shell: string;
  /** The script's text, see `job/script.ts`. Stands in `JOB/JOB.SHELL` on the host. */
  readonly script: string;
  /** Files for stdout and for the state log: relative to the job's directory, absolute, or below `~/`. */
  readonly output: string;
  readonly log: string;
  /** Value of CUDA_VISIBLE_DEVICES in the job's environment; null leaves it unset by us. */
  readonly gpu: string | null;
  /** Its host ends it after this time. Missing: never. */
  readonly limit?: TimeLimit;
  /** Variables of its environment. Missing: none. */
  readonly variables?: Environment;
  /** Where it starts: absolute, or below the home directory. Missing: in the job's directory. */
  readonly workdir?: string;
  /** Paths of the manager that it sends. Missing: none. */
  readonly send?: readonly string[];
  /** Its input, which is sent where it is on the manager. Missing: what stands in its own directory there. */
  readonly input?: string;
  /** The earlier try whose output, error and log stand there: they stay, with its number behind their names. */
  readonly keep?: number;
  /** Number of the backlog (see `Link.backlog`) in which it waits for its turn; null: it starts at once. */
  readonly backlog: number | null;
}

/**
 * How long an attempt may run; it then gets TERM, and KILL after `graceMs`. `text`: the limit as a person wrote it,
 * such as `1h30m`.
 */
export interface TimeLimit {
  readonly ms: number;
  readonly graceMs: number;
  readonly text: string;
}

/** Variables as the agent takes them: words of `export`. */
export function variablesWord(variables: Environment): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${/^[A-Za-z0-9._+@%,/-]*$/.test(value) ? value : quote(value)}`).join(" ");
}

/** A time limit as the agent takes it; `-`: none. */
export function limitWord(limit: TimeLimit | null): string {
  return limit === null ? "-" : `${limit.ms}/${limit.graceMs}/${limit.text}`;
}

/** Where an attempt has its directory, if that is not the one of its job's name, which belongs to another queue. */
interface Beside {
  readonly directory?: string;
}

/** What the host knows of a job's attempt. */
export type AttemptState =
  /** No claim of this attempt: it was never started (or its claim was lost in a power cut of the host). */
  | { readonly type: "none" }
  /** Claimed a moment ago; ask again. */
  | { readonly type: "claimed" }
  /** It was never started and never will be: claimed by `Link.forbid`, or refused by its host for this reason. */
  | { readonly type: "forbidden"; readonly reason?: string }
  /** Alive. `orphan`: the process that would report its end is gone; the link watches the job itself from now on. */
  | (Beside & {
    readonly type: "alive";
    readonly pid: number;
    readonly startedAtMs: number | null;
    readonly orphan: boolean;
    /** Number of its slot, from 0; missing where its host does not know it. */
    readonly slot?: number;
  })
  /** Ended by itself, or killed through us. Exit code 128+n for a signal. */
  | (Beside & {
    readonly type: "ended";
    readonly state: "end" | "kill";
    readonly exitCode: number | null;
    readonly startedAtMs: number | null;
    readonly endedAtMs: number | null;
    /** The time limit that ended it, as it was given; missing where none did. */
    readonly limit?: string;
  })
  /** Its process is gone without an end; this was written to its log on the host. */
  | (Beside & { readonly type: "crashed"; readonly exitCode: number | null })
  /**
   * The claim is of another machine, with which this one shares its files, and nothing here says that it ended.
   * `machine`: its name, see `boot.ts`. Nobody but that machine, or the attempt's log, can say more.
   */
  | { readonly type: "away"; readonly machine: string }
  /** Another attempt holds the job's directory; `alive` if it still runs. */
  | { readonly type: "other"; readonly attempt: AttemptId; readonly alive: boolean };

/** What a host says of an attempt unasked. Times are the host's clock, epoch ms. */
export type AttemptEvent =
  | (AttemptRef & {
    readonly type: "started";
    readonly pid: number;
    readonly atMs: number;
    /** Number of its slot. */
    readonly slot?: number;
  })
  | (AttemptRef & {
    readonly type: "ended";
    /** `crash`: the process was ended by a signal that did not come from us. */
    readonly state: "end" | "kill" | "crash";
    /** null where nobody could see it (an orphan). */
    readonly exitCode: number | null;
    readonly atMs: number;
    /** The time limit that ended it. */
    readonly limit?: string;
    /** Its slot went back to its backlog, to the next that waits there. Missing where that is not certain. */
    readonly gaveBack?: true;
  })
  /** The start failed on the host and left nothing running; `reason` is one line. */
  | (AttemptRef & { readonly type: "refused"; readonly reason: string; readonly gaveBack?: true })
  /** The attempt had been claimed before; this is its state. Comes in answer to a repeated start. */
  | (AttemptRef & { readonly type: "known"; readonly state: AttemptState; readonly gaveBack?: true })
  /** The job's directory holds files of an earlier attempt (a rerun without reset); the start goes on. */
  | (AttemptRef & { readonly type: "reused" })
  /** The attempt has this directory in place of `JOB`, which belongs to another queue. May come more than once. */
  | (AttemptRef & { readonly type: "beside"; readonly directory: string });

/** What became of a directory that was to be removed. */
export type RemoveResult = "removed" | "absent" | "alive" | "away" | "later" | "kept";

/** The attempt that lives where another was to start, by the reason of its refusal (`c_take` in `start.sh`). */
export function attemptInTheWay(reason: string): AttemptId | null {
  return /^another attempt of the job runs there \((\S+)\)$/.exec(reason)?.[1] ?? null;
}
