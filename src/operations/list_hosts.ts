/**
 * The hosts of a cluster.
 *
 * @module
 */

import type { Host } from "../cluster/host.ts";
import type { Deps } from "../deps.ts";
import { readCluster } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";

/** What {@link listHosts} takes: all hosts, or those of one status; at most the first `limit`. */
export interface ListHostsRequest {
  readonly cluster: StoreRef;
  readonly status?: string | undefined;
  readonly limit?: number | undefined;
}

/**
 * The hosts in file order.
 * @throws {CmsError} `not_found` if there is no such cluster.
 */
export async function listHosts(deps: Deps, request: ListHostsRequest): Promise<Host[]> {
  const hosts = [...(await readCluster(deps, request.cluster)).values()];
  return hosts
    .filter((host) => request.status === undefined || host.status === request.status)
    .slice(0, request.limit);
}
