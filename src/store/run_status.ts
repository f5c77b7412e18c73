/**
 * What the files say of the run of a queue.
 *
 * @module
 */

/** The two schedulers. */
export type SchedulerName = "fifo" | "fifo_multi";

/** What a scheduler says of its run, for those who look at it from outside (`ran`, events, metrics). */
export interface RunAbout {
  readonly scheduler: SchedulerName;
  /** Name of the cluster whose hosts are used, or names with commas between them; null if none is. */
  readonly cluster: string | null;
  /** Jobs that may run at once. */
  readonly slots: number;
  /** Machines (`user@name`) that were asked so far, and whether their link is open. */
  readonly machines: Readonly<Record<string, "up" | "down">>;
  /** Since when each of them is so, epoch ms. */
  readonly since?: Readonly<Record<string, number>>;
  /** When each machine that does not answer is tried again, epoch ms. */
  readonly again?: Readonly<Record<string, number>>;
  /** Jobs that each machine may run at once; missing of a run in which jobs name their machines. */
  readonly capacities?: Readonly<Record<string, number>>;
  /** When the run began, epoch ms. */
  readonly began?: number;
  /** Why it starts no more jobs: `halted (soon,fail=3)`, `stopping after SIGINT`; missing while it does. */
  readonly ending?: string;
  /** Stamps of the clusters' files by which the run decides now, as lines of JSON; missing before its first look. */
  readonly hosts?: string;
  /** Allocations of each Slurm entry; missing where there are none. `reason`: why the first of them waits. */
  readonly allocations?: readonly {
    readonly entry: string;
    readonly pending: number;
    readonly running: number;
    readonly reason: string | null;
  }[];
}

/** Who holds the right to run a queue. */
export interface Runner {
  readonly pid: number;
  readonly hostname: string;
  readonly run: string;
  /** Missing where a command holds the queue for a moment, to change what runs. */
  readonly about?: RunAbout;
}

/** A run of a scheduler as its file tells of it. */
export interface LastRun {
  readonly pid: number;
  readonly hostname: string;
  readonly run: string;
  readonly about: RunAbout;
  /** True while its process holds the queue. */
  readonly isRunning: boolean;
}
