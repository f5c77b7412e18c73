/**
 * From the words of a request to the place of a queue or cluster: always below the served directory, whatever was sent
 * and wherever symbolic links lead.
 *
 * @module
 */

import { InvalidError } from "../errors.ts";
import { expand } from "../names/expand.ts";
import { shortened } from "../names/some_names.ts";
import { clusterRef, experimentDirectory, queueRef } from "../operations/refs.ts";
import type { StoreRef } from "../store/store.ts";
import type { Service } from "./service.ts";

/** Most bytes of one part of an experiment; the files' names need room beside it. */
const PART_BYTES = 200;
const PATH_BYTES = 1000;

/**
 * The queue that is meant.
 * @throws {InvalidError} If the name or the experiment cannot be used, or the experiment is not below the served
 * directory.
 */
export async function queueAt(service: Service, words: { queue: string; experiment: string }): Promise<StoreRef> {
  checkExperiment(words.experiment);
  const ref = queueRef(service.deps, words);
  await checkInside(service, words.experiment, ref.directory);
  return ref;
}

/**
 * The cluster that is meant.
 * @throws {InvalidError} As {@link queueAt}.
 */
export async function clusterAt(service: Service, words: { cluster: string; experiment: string }): Promise<StoreRef> {
  checkExperiment(words.experiment);
  const ref = clusterRef(service.deps, words);
  await checkInside(service, words.experiment, ref.directory);
  return ref;
}

/**
 * The clusters that a list names, as `clustersOf` has them.
 * @throws {InvalidError} As {@link queueAt}.
 */
export async function clustersAt(service: Service, words: { clusters: string; experiment: string }): Promise<StoreRef> {
  const all: StoreRef[] = [];
  for (const cluster of expand(words.clusters)) {
    all.push(await clusterAt(service, { cluster, experiment: words.experiment }));
  }
  if (all.length === 0) throw new InvalidError(["Cannot run on no cluster: the list is empty"]);
  return { ...all[0]!, name: [...new Set(all.map(({ name }) => name))].join(",") };
}

/**
 * The absolute directory of an experiment, which need not exist.
 * @throws {InvalidError} As {@link queueAt}.
 */
export async function experimentAt(service: Service, experiment: string): Promise<string> {
  checkExperiment(experiment);
  const directory = experimentDirectory(service.deps, experiment);
  await checkInside(service, experiment, directory);
  return directory;
}

function checkExperiment(experiment: string): void {
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  if (experiment.startsWith("/") || bytes(experiment) > PATH_BYTES) refuse(experiment);
  if (experiment.split("/").some((part) => part === ".." || bytes(part) > PART_BYTES)) refuse(experiment);
}

/** Follows links in that part of the path that exists: what is made below it stays below it. */
async function checkInside({ deps, root }: Service, experiment: string, directory: string): Promise<void> {
  for (let path = directory; path.length > root.length; path = path.slice(0, path.lastIndexOf("/"))) {
    let real: string;
    try {
      real = await deps.files.realPath(path);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "ENOENT") continue;
      if (code === "ENOTDIR" || code === "ELOOP" || code === "ENAMETOOLONG") refuse(experiment);
      throw error;
    }
    if (real !== root && !real.startsWith(root === "/" ? root : `${root}/`)) refuse(experiment);
    if ((await deps.files.stamp(real))?.isDirectory === false) refuse(experiment);
    return;
  }
}

function refuse(experiment: string): never {
  throw new InvalidError([
    `Cannot use ${
      JSON.stringify(shortened(experiment))
    } as the experiment: give a relative path of a directory, such as experiment`,
  ]);
}
