/**
 * From the words of a command or a request to the place of a queue or cluster.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { experimentPath, fileName } from "../names/grammar.ts";
import type { StoreRef } from "../store/store.ts";

/** Name of a queue or cluster when none is given. */
export const DEFAULT_NAME = "default";
/** Directory of queues and clusters when none is given. */
export const DEFAULT_EXPERIMENT = "experiment";

/**
 * The queue that is meant. `a` and `a-queue.yaml` mean the same.
 * @throws {InvalidError} If the name or the experiment cannot be used.
 */
export function queueRef(
  deps: Deps,
  words: { queue?: string | undefined; experiment?: string | undefined },
): StoreRef {
  return storeRef(deps, "queue", words.queue, words.experiment);
}

/**
 * The cluster that is meant. `a` and `a-cluster.yaml` mean the same.
 * @throws {InvalidError} If the name or the experiment cannot be used.
 */
export function clusterRef(
  deps: Deps,
  words: { cluster?: string | undefined; experiment?: string | undefined },
): StoreRef {
  return storeRef(deps, "cluster", words.cluster, words.experiment);
}

/**
 * The absolute directory of an experiment; relative ones start at the working directory.
 * @throws {InvalidError} If the experiment cannot be used.
 */
export function experimentDirectory(deps: Deps, experiment: string = DEFAULT_EXPERIMENT): string {
  const plain = experimentPath(experiment);
  if (plain.startsWith("/")) return plain;
  const cwd = deps.environment.cwd();
  if (plain === ".") return cwd;
  return cwd === "/" ? `/${plain}` : `${cwd}/${plain}`;
}

function storeRef(
  deps: Deps,
  kind: "queue" | "cluster",
  name: string = DEFAULT_NAME,
  experiment: string = DEFAULT_EXPERIMENT,
): StoreRef {
  const suffix = `-${kind}.yaml`;
  // Once: what still ends so would be another one's name in its next form.
  const bare = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  return {
    experiment: experimentPath(experiment),
    directory: experimentDirectory(deps, experiment),
    name: fileName(bare, kind),
  };
}
