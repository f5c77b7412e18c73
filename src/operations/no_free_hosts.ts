/**
 * What is said where no host of a run may get jobs: each host with its reason.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import type { Host } from "../cluster/host.ts";
import { clustersOf, readCluster } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";

/** Most hosts that are named. */
const MOST = 5;

/** The line for people. `cluster` null: none was given. */
export async function noFreeHosts(deps: Deps, cluster: StoreRef | null): Promise<string> {
  if (cluster === null) return "No free hosts found: none was given";
  if (cluster.name.includes(",")) {
    const texts = await Promise.all(clustersOf(cluster).map((one) => noFreeHosts(deps, one)));
    return texts.join(". ");
  }
  const hosts = [...(await readCluster(deps, cluster)).values()];
  const what = `No free hosts found in cluster ${cluster.name}-cluster.yaml`;
  if (hosts.length === 0) return `${what}: it has no hosts; to add one: cms cluster add ${cluster.name} --id=...`;
  const more = hosts.length > MOST ? ` and ${hosts.length - MOST} more` : "";
  return `${what}: ${hosts.slice(0, MOST).map((host) => reasonOf(cluster, host)).join("; ")}${more}`;
}

function reasonOf({ name }: StoreRef, { id, status, max_jobs_allowed: most }: Host): string {
  if (status !== "active") return `${id} has status ${status} (cms cluster activate ${name} --id=${id})`;
  return `${id} has max_jobs_allowed ${most} (cms cluster set ${name} --id=${id} --key=max_jobs_allowed --value=1)`;
}
