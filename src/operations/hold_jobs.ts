/**
 * Holds jobs and releases them. A held job is not started; it keeps its place.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { JobName } from "../names/grammar.ts";
import type { Job } from "../job/job.ts";
import { isInFlight, isWaiting } from "../job/states.ts";
import { openQueue } from "../store/queue_file.ts";
import type { StoreRef } from "../store/store.ts";
import type { Watch } from "./refresh_queue.ts";
import { type Selection, selectJobs } from "./select_jobs.ts";
import { writeFile } from "./write_file.ts";

/** What {@link holdJobs} takes. `hold` false releases. */
export interface HoldRequest {
  readonly queue: StoreRef;
  readonly selection: Selection;
  readonly hold: boolean;
  /** Changes nothing, and says what would become of the jobs. */
  readonly isDry?: boolean | undefined;
}

/** What became of the jobs, in file order. */
export interface HoldResult {
  /** Held now, or released now, and were not before. */
  readonly changed: readonly JobName[];
  /** Of these, those that run: they go on, and only a further try is held. */
  readonly running: readonly JobName[];
  /** Over: nothing was done. */
  readonly over: readonly JobName[];
  /** Names that are not in the queue. */
  readonly missing: readonly string[];
}

/**
 * Holds or releases jobs. A run takes notice at once: what it prefetched and has not begun waits again.
 * @throws {CmsError} `not_found` if there is no such queue.
 */
export async function holdJobs(
  deps: Deps,
  { queue, selection, hold, isDry = false }: HoldRequest,
  watch: Watch,
): Promise<HoldResult> {
  const store = await openQueue(deps, queue);
  const isOver = ({ status }: Job): boolean => !isWaiting(status) && !isInFlight(status);
  try {
    let result: HoldResult = { changed: [], running: [], over: [], missing: [] };
    await store.commit(() => {
      const { chosen, missing } = selectJobs(store.jobs, selection);
      const changed = chosen.filter((job) => (hold ? !isOver(job) && job.hold !== true : job.hold === true));
      result = {
        changed: changed.map(({ name }) => name),
        running: changed.filter(({ status }) => status === "start").map(({ name }) => name),
        over: hold ? chosen.filter(isOver).map(({ name }) => name) : [],
        missing,
      };
      return isDry ? [] : changed.map(({ name }) => ({ type: "set", job: name, fields: { hold: hold ? true : null } }));
    });
    if (!isDry) await writeFile(() => store.checkpoint("cheap"), watch);
    return result;
  } finally {
    store.close();
  }
}
