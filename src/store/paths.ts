/**
 * Where the files of a queue or cluster are, and how messages name them.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { StoreRef } from "./store.ts";

/** The files of one queue or cluster. A cluster has no journal and no run. */
export interface StorePaths {
  /** The YAML file. */
  readonly file: string;
  /** What happened since the YAML was written. */
  readonly journal: string;
  /** Held by writers. */
  readonly lock: string;
  /** Held for the life of a scheduler. */
  readonly run: string;
  /** What a scheduler in the background prints. */
  readonly log: string;
  /** Why a run in the background did not begin; there for a moment. */
  readonly refusal: string;
  /** The runs that the queue had. */
  readonly history: string;
  /** Which outputs of jobs stand on the manager. */
  readonly collected: string;
  /** What the last plan said. */
  readonly plan: string;
  /** There while the queue is paused. */
  readonly pause: string;
  /** The names of what runs have asked Slurm for. */
  readonly allocations: string;
  /** What a run owes at its end; see `owed_notices.ts`. */
  readonly notices: string;
  /** The YAML file as messages name it. */
  readonly shown: string;
  /** The log, likewise. */
  readonly shownLog: string;
  /** The journal, likewise. */
  readonly shownJournal: string;
  /** The file of the run, likewise. */
  readonly shownRun: string;
}

/** Paths of a queue or cluster. The default experiment shows as `./experiment`, others as they were given. */
export function storePaths(ref: StoreRef, kind: "queue" | "cluster"): StorePaths {
  const shownDirectory = ref.experiment === "experiment" ? "./experiment" : ref.experiment;
  const base = `${ref.name}-${kind}`;
  return {
    file: `${ref.directory}/${base}.yaml`,
    journal: `${ref.directory}/.${base}.journal`,
    lock: `${ref.directory}/.${base}.lock`,
    run: `${ref.directory}/.${base}.run`,
    log: `${ref.directory}/.${base}.log`,
    refusal: `${ref.directory}/.${base}.refusal`,
    history: `${ref.directory}/.${base}.history`,
    collected: `${ref.directory}/.${base}.collected`,
    plan: `${ref.directory}/.${base}.plan`,
    pause: `${ref.directory}/.${base}.pause`,
    allocations: `${ref.directory}/.${base}.allocations`,
    notices: `${ref.directory}/.${base}.notices`,
    shown: `${shownDirectory}/${base}.yaml`,
    shownLog: `${shownDirectory}/.${base}.log`,
    shownJournal: `${shownDirectory}/.${base}.journal`,
    shownRun: `${shownDirectory}/.${base}.run`,
  };
}

/**
 * Names of the queues or clusters of a directory, sorted; empty if there are none or no such directory.
 */
export async function listNames(deps: Deps, directory: string, kind: "queue" | "cluster"): Promise<string[]> {
  const ending = `-${kind}.yaml`;
  const names = await deps.files.list(directory) ?? [];
  return names.filter((name) => name.endsWith(ending) && /^[A-Za-z0-9_]/.test(name)).map((name) =>
    name.slice(0, -ending.length)
  ).filter((name) => name !== "" && !name.endsWith(ending)).sort();
}
