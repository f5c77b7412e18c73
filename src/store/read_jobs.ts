/**
 * Reads the jobs of a queue. What was read last is kept in memory as long as the files are the same: a service that is
 * asked for a big queue again and again parses it once.
 *
 * @module
 */

import type { Deps, FileStamp } from "../deps.ts";
import type { Jobs } from "./changes.ts";
import { sameStamp, stampOf } from "./lock.ts";
import { storePaths } from "./paths.ts";
import { openQueue } from "./queue_file.ts";
import type { StoreRef } from "./store.ts";

/** Queues that are kept. */
const MOST = 8;

interface Kept {
  readonly experiment: string;
  readonly stamps: readonly (FileStamp | null)[];
  readonly jobs: Jobs;
}

const keptOf = new WeakMap<Deps, Map<string, Kept>>();

/**
 * The jobs in file order, as they are now.
 * @throws {CmsError} As {@link openQueue}.
 */
export async function readJobs(deps: Deps, ref: StoreRef): Promise<Jobs> {
  const paths = storePaths(ref, "queue");
  const { file, journal } = paths;
  const all = keptOf.get(deps) ?? new Map<string, Kept>();
  keptOf.set(deps, all);
  // Before the reading: what is written in between makes the next look differ.
  const stamps = [await stampOf(deps, paths), await deps.files.stamp(journal).catch(() => null)];
  const kept = all.get(file);
  if (kept?.experiment === ref.experiment && kept.stamps.every((stamp, i) => sameStamp(stamp, stamps[i] ?? null))) {
    return kept.jobs;
  }
  all.delete(file);
  const store = await openQueue(deps, ref);
  try {
    const { jobs } = store; // A live view of a store that lives no longer.
    all.set(file, { experiment: ref.experiment, stamps, jobs });
    if (all.size > MOST) all.delete(all.keys().next().value as string);
    return jobs;
  } finally {
    store.close();
  }
}
