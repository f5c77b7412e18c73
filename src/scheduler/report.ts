/**
 * What a run reports to whoever watches it (the command prints lines, the service sends events). Data only, no text for
 * people except reasons of one line.
 *
 * @module
 */

import type { Halt } from "./halt.ts";
import type { JobState } from "../job/states.ts";
import type { JobName } from "../names/grammar.ts";

/** Numbers of a run so far. `total` counts the jobs that this run has taken or may still take. */
export interface Progress {
  readonly done: number;
  readonly running: number;
  readonly failed: number;
  readonly total: number;
}

/** Most jobs that are named with each start: with a thousand slots the lines would grow with their square. */
export const RUNNING_TOLD = 20;

/** One thing that happened in a run, in order. `machine` is `user@name`. */
export type RunEvent =
  /** Jobs of an earlier run that are alive on a machine and are followed from now on. */
  | { readonly type: "adopted"; readonly job: JobName; readonly machine: string }
  /** What became of a job of an earlier run while nobody watched. */
  | { readonly type: "found"; readonly job: JobName; readonly state: string; readonly machine: string }
  /** Nothing is known of these jobs of an earlier run, as their machine does not answer; once for each machine. */
  | {
    readonly type: "unknown";
    readonly jobs: readonly JobName[];
    readonly machine: string;
    readonly timeoutMs: number;
  }
  /** These jobs live on the machine `host`, where the name does not lead now: nothing is known of them; once each. */
  | {
    readonly type: "elsewhere";
    readonly jobs: readonly JobName[];
    readonly machine: string;
    readonly host: string;
  }
  | {
    readonly type: "starting";
    readonly job: JobName;
    readonly machine: string;
    /** The first {@link RUNNING_TOLD} of those that run, in order of their starts, and how many there are. */
    readonly running: readonly JobName[];
    readonly count: number;
  }
  /** No slot is free; reported at most once for each stretch of waiting. */
  | { readonly type: "waiting"; readonly slots: number }
  /** `exitCode` null where unknown. `elapsedMs` null where start or end are unknown. */
  | {
    readonly type: "ended";
    readonly job: JobName;
    readonly machine: string;
    readonly state: "end" | "kill" | "crash" | "fail_start";
    readonly exitCode: number | null;
    readonly reason: string | null;
    readonly elapsedMs: number | null;
    /** What it knew its host by, and the number of its slot, where it had any. */
    readonly host?: string;
    readonly slot?: number | null;
  }
  /** A waiting job that a `fifo` run passes over. */
  | { readonly type: "skipped"; readonly job: JobName; readonly reason: string }
  | { readonly type: "directory_present"; readonly job: JobName; readonly machine: string }
  /** Its directory there is this one, as that of its name belongs to another queue. */
  | { readonly type: "beside"; readonly job: JobName; readonly machine: string; readonly directory: string }
  /** A name proved to lead to the same machine as another: one link serves both. */
  | { readonly type: "same_machine"; readonly machine: string; readonly as: string }
  | { readonly type: "machine_up"; readonly machine: string; readonly again: boolean }
  | { readonly type: "machine_down"; readonly machine: string; readonly reason: string; readonly wasUp: boolean }
  /** When a machine that does not answer is tried again; makes no line of its own. */
  | { readonly type: "machine_again"; readonly machine: string; readonly inMs: number }
  /** No machine answers, or (`isOff`) no host is active with a slot; the run waits until the time-out. */
  | { readonly type: "all_down"; readonly timeoutMs: number; readonly isOff: boolean }
  /** Asked to stop: no new starts; waits for what runs. */
  | { readonly type: "stopping"; readonly running: number; readonly signal: string }
  /** So many jobs are over that the run halts: no new starts; what runs is waited for, or killed. */
  | { readonly type: "halt"; readonly halt: Halt; readonly count: number; readonly running: number }
  /** A try did not end well, and another follows. `why` and `next` are for people: `exit code 3`, `retry 1 of 3`. */
  | {
    readonly type: "retry";
    readonly job: JobName;
    readonly machine: string;
    readonly why: string;
    readonly next: string;
    readonly inMs: number;
  }
  /** Nothing is started any more, until the queue is resumed; or it is. */
  | { readonly type: "pause"; readonly isPaused: boolean; readonly reason: string | null }
  /** Something happened to allocations of a Slurm entry, whose id is `entry`. `text`: which, and Slurm's words. */
  | {
    readonly type: "allocation";
    readonly entry: string;
    readonly what: "asked" | "refused" | "started" | "closing" | "ended";
    readonly text: string;
  }
  /** After each turn in which something happened; makes no line of its own. */
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "warning"; readonly text: string };

/** How a run ended. Names are in the order of starts. */
export interface RunResult {
  /** All that were started or adopted (a start that failed, or was recalled, is not among them). */
  readonly ran: readonly JobName[];
  /** Those that came to their own end, whatever their exit code. */
  readonly completed: readonly JobName[];
  /** Those that did not end well: any other state than `end`, any other code than 0. `exitCode` null where unknown. */
  readonly failed: readonly {
    readonly job: JobName;
    readonly state: "end" | "kill" | "crash" | "fail_start";
    readonly exitCode: number | null;
    /** Of one that its time limit ended. */
    readonly reason?: string;
    readonly machine: string;
    /** It never started, as a job that it waits for did not end as it must. */
    readonly isDependent?: boolean;
  }[];
  /**
   * `done`: nothing is left to do. `stopped`: asked to stop; `running` go on and are adopted by the next run.
   * `halted`: by a rule that it was given. `no_hosts`: no machine answered within the time-out.
   */
  readonly outcome: "done" | "stopped" | "halted" | "no_hosts";
  readonly running: readonly JobName[];
  /** Jobs that still wait to be run. */
  readonly waiting: number;
  /** Jobs that were passed over, and still wait. */
  readonly skipped: readonly JobName[];
  /** Where nothing else is left to do: jobs that something keeps waiting, and what, for people: `held`. */
  readonly left: readonly { readonly reason: string; readonly jobs: readonly JobName[] }[];
  /** Where no job was run, tried or passed over: how many jobs the queue has in each state. */
  readonly idle: Readonly<Partial<Record<JobState, number>>> | null;
}
