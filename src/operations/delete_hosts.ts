/**
 * Deletes hosts from a cluster: all or none.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { NotFoundError } from "../errors.ts";
import { expand } from "../names/expand.ts";
import { type HostId, hostId } from "../names/grammar.ts";
import { changeCluster } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";

/**
 * Deletes the hosts of an expandable list of ids. Their machines are not touched.
 * @returns The ids in order.
 * @throws {InvalidError} If the list cannot be expanded.
 * @throws {CmsError} `not_found` if the cluster or any of the ids does not exist; nothing is deleted then.
 */
export async function deleteHosts(
  deps: Deps,
  request: { cluster: StoreRef; id: string },
): Promise<{ deleted: HostId[] }> {
  const ids = expand(request.id).map(hostId);
  await changeCluster(deps, request.cluster, (hosts) => {
    const missing = ids.filter((id) => !hosts.has(id));
    if (missing.length > 0) {
      throw new NotFoundError("host", missing.join(","), missing.map((id) => `Could not delete host ${id}`).join("; "));
    }
    const changed = new Map(hosts);
    for (const id of ids) changed.delete(id);
    return changed;
  });
  return { deleted: ids };
}
