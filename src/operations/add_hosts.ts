/**
 * Adds hosts to a cluster: all or none.
 *
 * @module
 */

import { type HostSpec, makeHost } from "../cluster/host.ts";
import type { Deps } from "../deps.ts";
import { type Environment, readEnvironment } from "../names/environment.ts";
import { expand } from "../names/expand.ts";
import { gpuList, type HostId, hostId, machineName, userName } from "../names/grammar.ts";
import { shortened } from "../names/some_names.ts";
import { changeCluster } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";
import { hasControl, nonEmpty, Problems } from "./check.ts";
import { Copies } from "./copies.ts";

/** What {@link addHosts} takes. `id` is an expandable list; each of its ids becomes a host of the same `spec`. */
export interface AddHostsRequest {
  readonly cluster: StoreRef;
  readonly id: string;
  readonly spec: HostSpec;
}

/**
 * Adds a host for each id. An id that the cluster has already is replaced and keeps its place.
 * @returns The ids in order.
 * @throws {InvalidError} If the ids or the spec cannot be used; all problems at once.
 * @throws {CmsError} `not_found` if there is no such cluster.
 */
export function addHosts(deps: Deps, request: AddHostsRequest): Promise<{ added: HostId[] }> {
  return addHostsOfSpecs(deps, { cluster: request.cluster, hosts: [request] });
}

/** {@link addHosts} for several specs at once, all or none. An id that stands twice is that of the last. */
export async function addHostsOfSpecs(
  deps: Deps,
  request: { cluster: StoreRef; hosts: readonly Omit<AddHostsRequest, "cluster">[] },
): Promise<{ added: HostId[] }> {
  const specs = checkHosts(request.hosts);
  await changeCluster(deps, request.cluster, (hosts) => {
    const changed = new Map(hosts);
    for (const [id, spec] of specs) changed.set(id, makeHost(id, spec));
    return changed;
  });
  return { added: [...specs.keys()] };
}

function checkHosts(hosts: readonly Omit<AddHostsRequest, "cluster">[]): Map<HostId, HostSpec> {
  const problems = new Problems();
  const specs = new Map<HostId, HostSpec>();
  const copies = new Copies("add hosts");
  for (const host of hosts) {
    const { ids, spec } = checkHost(problems, copies, host);
    for (const id of ids) specs.set(id, spec);
  }
  problems.throwIfAny();
  return specs;
}

function checkHost(
  problems: Problems,
  copies: Copies,
  request: Omit<AddHostsRequest, "cluster">,
): { ids: HostId[]; spec: HostSpec } {
  const given = request.spec;
  const spec = {
    name: given.name,
    user: given.user,
    ip: nonEmpty(given.ip),
    status: nonEmpty(given.status),
    gpu: nonEmpty(given.gpu),
    pyenv: nonEmpty(given.pyenv),
    env: given.env === undefined
      ? undefined
      : problems.take((): Environment | null => readEnvironment(given.env), "env: "),
  };
  const list = problems.take(() => expand(request.id)) ?? [];
  copies.add(list, given);
  const ids = problems.take(() => list.map(hostId)) ?? [];
  problems.note(request.id.replaceAll(",", "") === "", "Cannot add hosts: --id is empty");
  problems.take(() => machineName(spec.name));
  problems.take(() => userName(spec.user));
  if (spec.ip !== undefined) problems.take(() => machineName(spec.ip as string));
  if (spec.gpu !== undefined) problems.take(() => gpuList(spec.gpu as string));
  problems.note(
    hasControl(spec.status ?? ""),
    `Cannot use ${JSON.stringify(shortened(spec.status ?? ""))} as status: it holds a control character`,
  );
  problems.note(spec.pyenv?.includes("\0") ?? false, "Cannot use this pyenv: it holds a NUL character");
  return { ids, spec };
}
