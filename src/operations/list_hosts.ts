/**
 * The hosts of a cluster.
 *
 * @module
 */

import type { Host } from "../cluster/host.ts";
import type { Deps } from "../deps.ts";
import { NotFoundError } from "../errors.ts";
import type { HostId } from "../names/grammar.ts";
import { readCluster } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";
import { type Page, pageOf } from "./page.ts";

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
  return (await pageHosts(deps, request)).records;
}

/**
 * One page of the hosts, in file order.
 * @throws {CmsError} `not_found` if there is no such cluster, `invalid` if the cursor is none.
 */
export async function pageHosts(
  deps: Deps,
  request: ListHostsRequest & { readonly cursor?: string | undefined },
): Promise<Page<Host>> {
  const { status, limit, cursor } = request;
  const keep = status === undefined ? undefined : (host: Host) => host.status === status;
  return pageOf<Host>(await readCluster(deps, request.cluster), { limit, cursor, keep });
}

/** One host of a cluster. @throws {NotFoundError} If there is no such cluster, or no such host. */
export async function getHost(deps: Deps, request: { cluster: StoreRef; id: string }): Promise<Host> {
  const host = (await readCluster(deps, request.cluster)).get(request.id as HostId);
  if (host === undefined) {
    throw new NotFoundError("host", request.id, `Could not find host ${request.id} in cluster ${request.cluster.name}`);
  }
  return host;
}
