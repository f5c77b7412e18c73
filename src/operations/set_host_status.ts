/**
 * Activates and deactivates hosts of a cluster. Only active hosts get jobs.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { expand } from "../names/expand.ts";
import { type HostId, hostId } from "../names/grammar.ts";
import { changeCluster } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";
import { requireHosts } from "./set_host_field.ts";

/** What {@link setHostStatus} takes. `id` is an expandable list. */
export interface SetHostStatusRequest {
  readonly cluster: StoreRef;
  readonly id: string;
  readonly status: "active" | "inactive";
}

/**
 * Sets the status of each host.
 * @returns The ids in order.
 * @throws {InvalidError} If the list cannot be expanded.
 * @throws {CmsError} `not_found` if the cluster or any of the ids does not exist; nothing is changed then.
 */
export async function setHostStatus(deps: Deps, request: SetHostStatusRequest): Promise<{ changed: HostId[] }> {
  const ids = expand(request.id).map(hostId);
  await changeCluster(deps, request.cluster, (hosts) => {
    const changed = new Map(hosts);
    for (const host of requireHosts(hosts, ids, request.cluster)) {
      changed.set(host.id, { ...host, status: request.status });
    }
    return changed;
  });
  return { changed: ids };
}
