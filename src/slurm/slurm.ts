/**
 * Slurm as the allocator sees it: the port. `command_line.ts` implements it with Slurm's own commands, here or over ssh
 * on the login host.
 *
 * Words: an *allocation* is one job of Slurm that carries our starter. It is one task of an array, so that one submit
 * asks for several. Each of its nodes is a machine of the run while it lasts.
 *
 * @module
 */

import type { SlurmFields } from "../cluster/slurm_entry.ts";

/** What is asked of `sbatch`. */
export interface SubmitRequest {
  /** The job's name, which no other submit ever had: by it the submit is found again. */
  readonly name: string;
  /** So many allocations: tasks 0 to `count` - 1 of one array. */
  readonly count: number;
  readonly entry: SlurmFields;
  /** The experiment directory over there: relative to the home directory, or absolute. */
  readonly directory: string;
}

/** What became of a submit. */
export type Submitted =
  /** `job`: the array's id. */
  | { readonly type: "submitted"; readonly job: string }
  /** Slurm said no: there is nothing of that name. `reason`: its words, in one line. */
  | { readonly type: "refused"; readonly reason: string }
  /** No answer in time, or the connection broke: it may be there. The name is looked up before anything else. */
  | { readonly type: "unknown"; readonly reason: string };

/** How an allocation stands. `ending`: its processes are being ended; it is not over before Slurm says so. */
export type AllocationState = "pending" | "running" | "ending" | "over";

/** One allocation as Slurm shows it. */
export interface Sight {
  /** The name of its submit. */
  readonly name: string;
  /** Which task of the array. */
  readonly task: number;
  /** The array's id: `JOB_TASK` names the allocation while it waits. */
  readonly array: string;
  /** Its own id, under which steps run in it; null while it waits. */
  readonly job: string | null;
  readonly state: AllocationState;
  /** Slurm's word: why it waits (`Resources`), or how it ended (`TIMEOUT`, `PREEMPTED`, `CANCELLED by 1000`). */
  readonly reason: string;
  readonly nodes: readonly string[];
  /** Restarts so far and the start time as Slurm writes it: with its id they say which allocation it is. */
  readonly restarts: number;
  readonly started: string | null;
  /** What is left of its time limit, ms; null where there is none or it does not run. */
  readonly leftMs: number | null;
}

/** What there is to know of a Slurm before anything is asked of it. */
export interface SlurmFacts {
  /** As `sinfo --version` has it: `slurm-wlm 22.05.8`. */
  readonly version: string;
  /** What `sbatch --test-only` said: null if it would take such a job, else its words. */
  readonly refusal: string | null;
  /** The names of all allocations of this user that carry our name, with their sights. */
  readonly ours: readonly Sight[];
}

/** Whether a node sees the experiment directory of the login host. `apart`: this one does not. */
export type Spool =
  | { readonly type: "shared" | "apart"; readonly node: string }
  | { readonly type: "unknown"; readonly reason: string };

/** A Slurm that can be asked. No method rejects. */
export interface Slurm {
  /** Asks for allocations, under a time limit. */
  submit(request: SubmitRequest): Promise<Submitted>;
  /** How the allocations of these submits stand, also those that are over and not forgotten; null if nobody knows. */
  look(names: readonly string[]): Promise<readonly Sight[] | null>;
  /**
   * Ends allocations, each named `ARRAY_TASK`: by its own id `scancel` finds no task of an array, and does not say so.
   * @returns Slurm's words if it could not.
   */
  cancel(allocations: readonly string[]): Promise<string | null>;
  /** Looks whether an entry can be used. @returns Why it cannot be asked at all, as a text. */
  check(entry: SlurmFields, directory: string): Promise<SlurmFacts | string>;
  /** Has a job of a second look for a file of the login host. It waits some seconds for it, and takes it back. */
  spool(entry: SlurmFields, directory: string): Promise<Spool>;
}

/** What every name of a submit begins with. */
export const NAME_PREFIX = "cms-";
