/**
 * The store of queues and clusters as the scheduler and the operations see it: the ports. `queue_file.ts` and
 * `cluster_file.ts` implement them on real files.
 *
 * @module
 */

import type { HostId } from "../names/grammar.ts";
import type { Host } from "../cluster/host.ts";
import type { Change, Jobs, News } from "./changes.ts";

/** Where a queue or cluster stands. `experiment` is as the user gave it, made plain; `directory` is absolute. */
export interface StoreRef {
  readonly experiment: string;
  readonly directory: string;
  readonly name: string;
}

/** Who runs a queue now. */
export interface Runner {
  readonly pid: number;
  readonly hostname: string;
  readonly run: string;
}

/** A queue opened for reading and changing. Not for use by two callers at once. */
export interface QueueStore {
  readonly ref: StoreRef;
  /** The queue's id: lower-case hex, made with the queue, new if the directory was copied elsewhere. */
  readonly id: string;
  /** The jobs as of the last `sync` or `commit`. A live view. */
  readonly jobs: Jobs;
  /** Takes in what others changed. */
  sync(): Promise<News>;
  /**
   * Under the lock: takes in what others changed, calls `decide` with that, appends the changes that it returns and makes them
   * durable (fsync) before it resolves. `decide` is called exactly once, and sees `jobs` up to date. No changes: no write.
   * @param options `durable` false leaves the fsync to the next durable commit (for facts that the hosts keep anyway).
   */
  commit(
    decide: (news: News) => readonly Change[],
    options?: { durable?: boolean },
  ): Promise<void>;
  /** Writes the YAML file and begins a new journal if that is due (see {@link FoldPolicy}); true if it did. */
  fold(policy: FoldPolicy): Promise<boolean>;
  /** Takes the right to run this queue, or says who has it. Released by `close` or the end of the process. */
  claimRun(run: string): Promise<Runner | null>;
  /** Who runs the queue now, or null. */
  runner(): Promise<Runner | null>;
  close(): void;
}

/**
 * - `always`: if there is anything to write.
 * - `cheap`: if the file is small, or the journal has grown to a fraction of it (what commands use: the cost of one change does
 *   not grow with the queue).
 */
export type FoldPolicy = "always" | "cheap";

/** The hosts of a cluster in file order. */
export type Hosts = ReadonlyMap<HostId, Host>;
