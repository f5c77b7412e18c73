/**
 * What a world is made of and what will happen to it, as data, so that parts can be left out. `draw_scenario.ts` draws
 * it from a seed.
 *
 * @module
 */

import type { SchedulerName } from "../store/run_status.ts";
import type { Wishes } from "./wishes.ts";

/** What may go wrong, or be done by somebody, in a world. */
export const FAULTS = [
  // The manager.
  "kill_run",
  "power_manager",
  "stop_run_process",
  "second_run",
  "disk_full",
  "graceful_stop",
  // The network and the hosts.
  "cut",
  "cut_for_long",
  "reset_connection",
  "refuse",
  "kill_agent",
  "kill_tail",
  "stop_agent",
  "kill_wrapper",
  "kill_wrapper_between",
  "kill_job",
  "kill_both",
  "power_host",
  "host_full",
  // People.
  "add",
  "replace",
  "delete",
  "reset",
  "reset_all",
  "refresh",
  "kill",
  "deactivate",
  "activate",
  "capacity",
  "edit_command",
  "edit_delete",
  "edit_reorder",
  "edit_torn",
] as const;

/**
 * What comes to the manager's files and clocks: somebody lists the queue, somebody removes a file, somebody sets a
 * clock.
 */
export const HANDS = ["list", "remove_yaml", "remove_journal", "set_clock", "set_disk_clock"] as const;

/**
 * One kind of {@link FAULTS}; or what happens in surroundings that only some worlds have: a name leads to another
 * machine; somebody does something to the neighbour's queue.
 */
export type FaultKind =
  | typeof FAULTS[number]
  | "reroute"
  | "neighbour"
  | "break_copy"
  | "cut_beyond"
  | "edit_wish"
  | "move"
  | "pause"
  | "resume"
  | "drain"
  | "undrain"
  | typeof HANDS[number];

/** One thing that happens at a time. `dice`: numbers from 0 to 1 that settle the rest. */
export interface Fault {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly dice: readonly number[];
}

/** Somebody's process on a device, for a while. */
export interface Stranger {
  readonly gpu: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A machine and its entries in the cluster. */
export interface HostPlan {
  /** `user@name`, or `localhost`. */
  readonly key: string;
  /** One way; more or less, unless it is steady. */
  readonly latencyMs: number;
  readonly isSteady?: boolean;
  readonly preemption: number;
  readonly pids: number;
  readonly entries: readonly {
    readonly id: string;
    readonly capacity: number;
    readonly gpu: string;
    /** How many devices it has to give, from number 0; CPUs. Missing: it says nothing of them. */
    readonly gpus?: number;
    readonly cpus?: number;
    /** It names the machine by its second name. */
    readonly isAlias?: boolean;
  }[];
  /** Devices that somebody else uses are not given; and who uses them when. */
  readonly isIdleOnly?: boolean;
  readonly strangers?: readonly Stranger[];
  /** A second name of the machine. */
  readonly alias?: string;
  /** How many machines the name leads to, one at a time, as with login nodes. @default 1 */
  readonly nodes?: number;
  /** All hosts with this have one home directory. */
  readonly sharesHome?: boolean;
  /** Its home is the manager's. */
  readonly sharesManager?: boolean;
  /** Its own host name; that of its key otherwise. */
  readonly hostname?: string;
}

/** A job as it is added. */
export interface JobPlan {
  readonly name: string;
  readonly command: string;
  /** Index of its host; for fifo. */
  readonly host: number;
  readonly wishes?: Wishes;
}

/** A world before it begins. */
export interface Scenario {
  readonly seed: number;
  readonly scheduler: SchedulerName;
  readonly maxParallel: number;
  readonly timeoutMs: number;
  readonly syncMs: number;
  readonly writeMsPerByte: number;
  readonly hosts: readonly HostPlan[];
  readonly jobs: readonly JobPlan[];
  /** Jobs of a second queue, of the same names; missing where there is none. */
  readonly neighbour?: readonly JobPlan[];
  /** Jobs that have input files on the manager. */
  readonly inputs?: readonly string[];
  /** Jobs that send files. */
  readonly sends?: readonly string[];
  /** Trouble ends after so long. */
  readonly troubleMs: number;
  readonly faults: readonly Fault[];
}

/** Sizes that are not left to the seed. */
export interface ScenarioSizes {
  readonly hosts?: number | undefined;
  readonly jobs?: number | undefined;
  readonly steps?: number | undefined;
}
