/**
 * Makes an empty cluster.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { createCluster as createClusterFile } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";
import { refuseJobDirectory } from "./job_directory.ts";

/**
 * Makes the cluster and its directory; one that exists is checked and left as it is.
 * @throws {CmsError} `invalid` in the directory of a job.
 * @throws {StoreError} If the file cannot be made, or an existing one cannot be read.
 */
export async function createCluster(deps: Deps, request: { cluster: StoreRef }): Promise<{ created: boolean }> {
  await refuseJobDirectory(deps, request.cluster, "cluster");
  return { created: await createClusterFile(deps, request.cluster) };
}
