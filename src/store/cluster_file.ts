/**
 * A cluster on its file: read fresh, changed under the lock, replaced in one step.
 *
 * @module
 */

import { CmsError } from "../errors.ts";
import type { Deps } from "../deps.ts";
import type { HostId } from "../names/grammar.ts";
import type { Host } from "../cluster/host.ts";
import { parseHosts, renderHosts } from "./yaml/host_record.ts";
import { locked, sameStamp, stampOf } from "./lock.ts";
import { notFound, storeError } from "./file_errors.ts";
import { storePaths } from "./paths.ts";
import type { Hosts, StoreRef } from "./store.ts";

/** How often a change is made anew because a person saved the file meanwhile. */
const TRIES = 5;

/**
 * Makes a cluster's directory and file. An existing file is read, not changed.
 * @returns False if it existed. @throws {StoreError} If it cannot be made, or exists and cannot be read.
 */
export async function createCluster(deps: Deps, ref: StoreRef): Promise<boolean> {
  const paths = storePaths(ref, "cluster");
  try {
    await deps.files.makeDirectory(ref.directory);
  } catch (error) {
    throw storeError(ref.experiment, "make the directory", error);
  }
  return await locked(deps, paths, async () => {
    if (await stampOf(deps, paths) === null) {
      await write(deps, ref, new Map());
      return true;
    }
    await readCluster(deps, ref);
    return false;
  });
}

/**
 * The hosts of a cluster as they stand now. Takes no lock: the file is only ever replaced as a whole.
 * @throws {CmsError} `not_found` if there is none; {@link StoreError} if it cannot be read.
 */
export async function readCluster(deps: Deps, ref: StoreRef): Promise<Hosts> {
  const { file, shown } = storePaths(ref, "cluster");
  let text: string | null;
  try {
    text = await deps.files.readText(file);
  } catch (error) {
    throw storeError(shown, "read", error);
  }
  if (text === null) throw notFound("cluster", shown);
  return parseHosts(text, shown);
}

/** The clusters of one experiment that a run uses: `lab,hpc`, as `--hostfile` has them, are two. */
export function clustersOf(ref: StoreRef): StoreRef[] {
  return ref.name.split(",").map((name) => ({ ...ref, name }));
}

/**
 * The hosts of all {@link clustersOf}, in their order.
 * @throws {CmsError} As {@link readCluster}; `invalid` if two hosts have one id.
 */
export async function readClusters(deps: Deps, ref: StoreRef): Promise<Hosts> {
  const all = new Map<HostId, Host>();
  const origin = new Map<HostId, string>();
  for (const one of clustersOf(ref)) {
    for (const [id, host] of await readCluster(deps, one)) {
      const other = origin.get(id);
      if (other !== undefined) {
        const rename = `cms cluster set ${one.name} --id=${id} --key=id --value=${one.name}-${id}`;
        throw new CmsError(
          "invalid",
          `Cannot use clusters ${other} and ${one.name} together: both have a host ${id}; to rename one: ${rename}`,
        );
      }
      origin.set(id, one.name);
      all.set(id, host);
    }
  }
  return all;
}

/**
 * Changes a cluster under its lock. `change` gets the hosts as they stand and returns all that shall be there, in
 * order; what it throws is passed on and nothing is written. It is called again if a person, who takes no lock, saved
 * the file meanwhile.
 * @throws {CmsError} As {@link readCluster}, or if it cannot be written; `conflict` if somebody saves the file all the
 * time.
 */
export async function changeCluster(
  deps: Deps,
  ref: StoreRef,
  change: (hosts: Hosts) => ReadonlyMap<HostId, Host>,
): Promise<void> {
  const paths = storePaths(ref, "cluster");
  // Not to leave a lock file where there is no cluster.
  if (await stampOf(deps, paths) === null) throw notFound("cluster", paths.shown);
  await locked(deps, paths, async () => {
    for (let i = 0; i < TRIES; i++) {
      const before = await stampOf(deps, paths);
      const hosts = change(await readCluster(deps, ref));
      const isStill = async () => sameStamp(await stampOf(deps, paths), before);
      if (await write(deps, ref, hosts, isStill)) return;
    }
    throw new CmsError("conflict", `Cannot change ${paths.shown}: somebody else saves it all the time`);
  });
}

/**
 * Removes a cluster's file. @throws {CmsError} `not_found` if there is none; {@link StoreError} if it cannot be
 * removed.
 */
export async function removeCluster(deps: Deps, ref: StoreRef): Promise<void> {
  const paths = storePaths(ref, "cluster");
  if (await stampOf(deps, paths) === null) throw notFound("cluster", paths.shown);
  await locked(deps, paths, async () => {
    try {
      if (!await deps.files.remove(paths.file)) throw notFound("cluster", paths.shown);
    } catch (error) {
      throw storeError(paths.shown, "remove", error);
    }
  });
}

/** Replaces the file, if `mayReplace` still says so when all is written. @returns Its answer. */
async function write(
  deps: Deps,
  ref: StoreRef,
  hosts: ReadonlyMap<HostId, Host>,
  mayReplace?: () => Promise<boolean>,
): Promise<boolean> {
  const { file, shown } = storePaths(ref, "cluster");
  try {
    return await deps.files.replace(file, renderHosts(hosts), mayReplace);
  } catch (error) {
    throw storeError(shown, "write", error);
  }
}
