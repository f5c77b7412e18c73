/**
 * The runs that a queue had.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { notFound } from "../store/file_errors.ts";
import { storePaths } from "../store/paths.ts";
import { readRunner } from "../store/run_claim.ts";
import { type PastRun, readHistory } from "../store/run_history.ts";
import type { StoreRef } from "../store/store.ts";

/** A run as it is shown. */
export interface HistoryRow {
  readonly run: string;
  readonly began: string;
  readonly ended: string | null;
  readonly by: string;
  readonly scheduler: string;
  readonly cluster: string | null;
  readonly slots: number;
  readonly machines: readonly string[];
  /** Jobs that it ran, of these failed, and left waiting; null where the run was killed or goes on. */
  readonly ran: number | null;
  readonly failed: number | null;
  readonly waiting: number | null;
  /** `done`, `stopped`, `halted`, `no_hosts`, `error`; `runs` where it goes on, `killed` where it has no end. */
  readonly outcome: string;
}

/** The last `limit` runs, the last one first. @throws {CmsError} `not_found` if there is no such queue. */
export async function queueHistory(
  deps: Deps,
  { queue, limit }: { queue: StoreRef; limit: number },
): Promise<HistoryRow[]> {
  const paths = storePaths(queue, "queue");
  if (await deps.files.stamp(paths.file) === null) throw notFound("queue", paths.shown);
  const runner = await readRunner(deps, paths);
  const runs = await readHistory(deps, paths);
  return runs.slice(-limit).reverse().map((run) => rowOf(run, runner?.run === run.run));
}

function rowOf({ run, began, ended, by, scheduler, cluster, slots, end }: PastRun, isRunning: boolean): HistoryRow {
  return {
    run,
    began,
    ended,
    by,
    scheduler,
    cluster,
    slots,
    machines: end?.machines ?? [],
    ran: end?.ran ?? null,
    failed: end?.failed ?? null,
    waiting: end?.waiting ?? null,
    outcome: end?.outcome ?? (isRunning ? "runs" : "killed"),
  };
}
