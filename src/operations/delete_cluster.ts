/**
 * Deletes a cluster. Its machines are not touched.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { removeCluster } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";

/** Deletes the cluster's file. @throws {CmsError} `not_found` if there is no such cluster. */
export async function deleteCluster(deps: Deps, request: { cluster: StoreRef }): Promise<void> {
  await removeCluster(deps, request.cluster);
}
