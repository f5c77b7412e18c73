/**
 * A cluster on its file: read fresh, changed under the lock, replaced in one step.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { HostId } from "../names/grammar.ts";
import type { Host } from "../cluster/host.ts";
import { parseHosts, renderHosts } from "./host_record.ts";
import { locked, notFound, storeError, storePaths } from "./paths.ts";
import type { Hosts, StoreRef } from "./store.ts";

/**
 * Makes a cluster's directory and file. An existing file is read, not changed.
 * @returns False if it existed. @throws {StoreError} If it cannot be made, or exists and cannot be read.
 */
export async function createCluster(deps: Deps, ref: StoreRef): Promise<boolean> {
  const paths = storePaths(ref, "cluster");
  try {
    await deps.files.makeDirectory(ref.directory);
  } catch (error) {
    throw storeError(ref.directory, "make the directory", error);
  }
  return await locked(deps, paths, "exclusive", async () => {
    if (await deps.files.stamp(paths.file) === null) {
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

/**
 * Changes a cluster under its lock. `change` gets the hosts as they stand and returns all that shall be there, in order; what it
 * throws is passed on and nothing is written.
 * @throws {CmsError} As {@link readCluster}, or if it cannot be written.
 */
export async function changeCluster(
  deps: Deps,
  ref: StoreRef,
  change: (hosts: Hosts) => ReadonlyMap<HostId, Host>,
): Promise<void> {
  const paths = storePaths(ref, "cluster");
  // Not to leave a lock file where there is no cluster.
  if (await deps.files.stamp(paths.file) === null) throw notFound("cluster", paths.shown);
  await locked(deps, paths, "exclusive", async () => {
    const hosts = await readCluster(deps, ref);
    await write(deps, ref, change(hosts));
  });
}

/** Removes a cluster's file. @throws {CmsError} `not_found` if there is none; {@link StoreError} if it cannot be removed. */
export async function removeCluster(deps: Deps, ref: StoreRef): Promise<void> {
  const paths = storePaths(ref, "cluster");
  if (await deps.files.stamp(paths.file) === null) throw notFound("cluster", paths.shown);
  await locked(deps, paths, "exclusive", async () => {
    try {
      if (!await deps.files.remove(paths.file)) throw notFound("cluster", paths.shown);
    } catch (error) {
      throw storeError(paths.shown, "remove", error);
    }
  });
}

async function write(deps: Deps, ref: StoreRef, hosts: ReadonlyMap<HostId, Host>): Promise<void> {
  const { file, shown } = storePaths(ref, "cluster");
  try {
    await deps.files.replace(file, renderHosts(hosts));
  } catch (error) {
    throw storeError(shown, "write", error);
  }
}
