/**
 * The store of queues and clusters as the scheduler and the operations see it: the ports. `journaled_queue.ts` and
 * `cluster_file.ts` implement them on files.
 *
 * @module
 */

import type { HostId } from "../names/grammar.ts";
import type { Host } from "../cluster/host.ts";
import type { Change, ExternalChanges, Jobs } from "./changes.ts";
import type { LastRun, RunAbout, Runner } from "./run_status.ts";

/** Where a queue or cluster stands. `experiment` is as the user gave it, made plain; `directory` is absolute. */
export interface StoreRef {
  readonly experiment: string;
  readonly directory: string;
  readonly name: string;
}

/** A queue opened for reading and changing. Not for use by two callers at once. */
export interface QueueStore {
  readonly ref: StoreRef;
  /** The queue's id: lower-case hex, made with the queue, new if the directory was copied elsewhere. */
  readonly id: string;
  /** The jobs as of the last `sync` or `commit`. A live view. */
  readonly jobs: Jobs;
  /** The YAML file could not be read when it was looked at last. It stays as it is, until a person has mended it. */
  readonly isBroken: boolean;
  /** Takes in what others changed. */
  sync(): Promise<ExternalChanges>;
  /**
   * Under the lock: takes in what others changed, calls `decide` with that, appends the changes that it returns and
   * makes them durable (fsync) before it resolves. `decide` is called exactly once, and sees `jobs` up to date. No
   * changes: no write.
   * @param options `durable` false leaves the fsync to the next durable commit, or to {@link QueueStore.makeDurable}.
   */
  commit(
    decide: (external: ExternalChanges) => readonly Change[],
    options?: { durable?: boolean },
  ): Promise<void>;
  /**
   * Makes durable what was committed, without the lock: nobody waits for the disk. If it fails, nothing may be done yet
   * that needs it; who runs the queue writes the journal anew with the next commit.
   */
  makeDurable(): Promise<void>;
  /**
   * Writes the YAML file and begins a new journal if that is due (see {@link CheckpointPolicy}); true if it did. Who
   * runs the queue may call `commit` meanwhile.
   */
  checkpoint(policy: CheckpointPolicy): Promise<boolean>;
  /**
   * Takes the right to run this queue, or says who has it. Released by `close` or the end of the process.
   * @throws {CmsError} `not_found` if the queue was deleted since it was opened; so do `sync`, `commit` and
   * `checkpoint`, but not for who runs it.
   */
  claimRun(run: string, about?: RunAbout): Promise<Runner | null>;
  /**
   * Under the lock, in one step: takes in what others changed, and if `mayEnd` agrees to end on that, writes a
   * checkpoint and gives back the right to run the queue. So no change is left between the last checkpoint and the end.
   * For who has not claimed it, the same as `checkpoint`.
   * @returns The answer of `mayEnd`.
   */
  endRun(policy: CheckpointPolicy, mayEnd?: (external: ExternalChanges) => boolean): Promise<boolean>;
  /** Replaces what is said of the run. Without effect for who has not claimed it. */
  tellRun(about: RunAbout): Promise<void>;
  /** Who runs the queue now, or null. */
  runner(): Promise<Runner | null>;
  /** The last run of a scheduler, also one that is over; null if there was none. */
  lastRun(): Promise<LastRun | null>;
  close(): void;
}

/**
 * - `always`: if there is anything to write; the file has all of it.
 * - `beside`: the same, of who runs the queue and goes on with it: what is committed meanwhile stays in the journal.
 * - `cheap`: if the file is small, or the journal has grown to a fraction of it (what commands use: the cost of one
 *   change does not grow with the queue).
 */
export type CheckpointPolicy = "always" | "beside" | "cheap";

/** The hosts of a cluster in file order. */
export type Hosts = ReadonlyMap<HostId, Host>;
