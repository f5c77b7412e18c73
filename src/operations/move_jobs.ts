/**
 * Moves jobs in the order of their queue.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { InvalidError } from "../errors.ts";
import type { JobName } from "../names/grammar.ts";
import type { Jobs } from "../store/changes.ts";
import { openQueue } from "../store/queue_file.ts";
import { moveJobs } from "../store/state/move_jobs.ts";
import type { StoreRef } from "../store/store.ts";
import { requireJob } from "./list_jobs.ts";
import { inAskedOrder, requireChoice, type Selection, selectJobs } from "./select_jobs.ts";
import { writeFile } from "./write_file.ts";

/** Where jobs go: right before or after another, to the beginning or the end. */
export type Place =
  | { readonly type: "before" | "after"; readonly job: string }
  | { readonly type: "first" | "last" };

/** What {@link moveSelected} takes. Jobs that are chosen by name go in the order of the names, others in theirs. */
export interface MoveRequest {
  readonly queue: StoreRef;
  readonly selection: Selection;
  readonly to: Place;
  /** Moves nothing, and says what would be moved. */
  readonly isDry?: boolean | undefined;
}

/** What became of the jobs. `moved` is empty where all stood there before. */
export interface MoveResult {
  readonly moved: readonly JobName[];
  /** Names that are not in the queue. */
  readonly missing: readonly string[];
}

/**
 * Moves the chosen jobs. A run takes notice at once: what it prefetched and has not begun keeps its turn.
 * @throws {InvalidError} If nothing chooses, or the other job is one of them. @throws {CmsError} `not_found` if there
 * is no such queue, or the other job is not in it.
 */
export async function moveSelected(
  deps: Deps,
  { queue, selection, to, isDry = false }: MoveRequest,
  watch: { warn(text: string): void },
): Promise<MoveResult> {
  requireChoice(selection, queue.name, "move", "--failed");
  const store = await openQueue(deps, queue);
  let result: MoveResult = { moved: [], missing: [] };
  try {
    await store.commit(() => {
      const { chosen, missing } = selectJobs(store.jobs, selection);
      const names = inAskedOrder(chosen, selection);
      const before = nextOf(store.jobs, new Set(names), to, queue);
      const isSame = names.length === 0 || !changesOrder(store.jobs, names, before);
      result = { moved: isSame ? [] : names, missing };
      return isSame || isDry ? [] : [{ type: "move", jobs: names, before }];
    });
    if (!isDry) await writeFile(() => store.checkpoint("cheap"), watch);
    return result;
  } finally {
    store.close();
  }
}

/** The job that the moved ones are to stand before; null: they go to the end. */
function nextOf(jobs: Jobs, moved: ReadonlySet<JobName>, to: Place, queue: StoreRef): JobName | null {
  const others = [...jobs.keys()].filter((name) => !moved.has(name));
  switch (to.type) {
    case "first":
      return others[0] ?? null;
    case "last":
      return null;
    case "before":
    case "after": {
      const { name } = requireJob(jobs, to.job, queue);
      if (moved.has(name)) throw new InvalidError([`Cannot move jobs ${to.type} ${name}: it is one of them`]);
      return to.type === "before" ? name : others[others.indexOf(name) + 1] ?? null;
    }
    default:
      return to satisfies never;
  }
}

function changesOrder(jobs: Jobs, names: readonly JobName[], before: JobName | null): boolean {
  const order = new Map([...jobs.keys()].map((name) => [name, null]));
  moveJobs(order, names, before);
  const now = order.keys();
  return [...jobs.keys()].some((name) => now.next().value !== name);
}
