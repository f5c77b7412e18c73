/**
 * Makes an empty cluster.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { createCluster as createClusterFile } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";

/**
 * Makes the cluster and its directory; one that exists is checked and left as it is.
 * @throws {StoreError} If the file cannot be made, or an existing one cannot be read.
 */
export async function createCluster(deps: Deps, request: { cluster: StoreRef }): Promise<{ created: boolean }> {
  return { created: await createClusterFile(deps, request.cluster) };
}
