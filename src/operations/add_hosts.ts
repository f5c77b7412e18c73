/**
 * Adds hosts to a cluster: all or none.
 *
 * @module
 */

import { devicesField } from "../cluster/devices.ts";
import { type HostSpec, machineOf, makeHost, setResources } from "../cluster/host.ts";
import { AUTO } from "../cluster/devices.ts";
import { SLURM_FIELDS, slurmConflict, slurmField, slurmGpus } from "../cluster/slurm_entry.ts";
import type { Deps } from "../deps.ts";
import { makeProbe, type Probe } from "../link/probe.ts";
import { findDevices } from "./find_devices.ts";
import { type Environment, readEnvironment } from "../names/environment.ts";
import { expand } from "../names/expand.ts";
import { sizeField } from "../names/units.ts";
import { gpuList, type HostId, hostId, machineName, userName } from "../names/grammar.ts";
import { shortened } from "../names/some_names.ts";
import { changeCluster } from "../store/cluster_file.ts";
import type { StoreRef } from "../store/store.ts";
import { hasControl, nonEmpty, Problems } from "./check.ts";
import { Copies } from "./copies.ts";

/** What is wrong with a host that has `gpu` and `gpus`. */
export const GPU_TWICE =
  "Cannot use gpu and gpus together: gpu gives all jobs of a host the same devices, gpus each its own";

/** What is wrong with an entry of Slurm that has `ip` or `gpu`. */
export const SLURM_ONLY =
  "Cannot use ip or gpu of an entry of kind slurm: name the login host as ssh knows it, and give gpus a number";

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
  probe: Probe = makeProbe(deps),
): Promise<{ added: HostId[] }> {
  const specs = await withFoundDevices(checkHosts(request.hosts), request.cluster, probe);
  await changeCluster(deps, request.cluster, (hosts) => {
    const changed = new Map(hosts);
    for (const [id, spec] of specs) changed.set(id, makeHost(id, spec));
    return changed;
  });
  return { added: [...specs.keys()] };
}

/** Puts what the machines have in place of `auto`. */
async function withFoundDevices(
  specs: Map<HostId, HostSpec>,
  cluster: StoreRef,
  probe: Probe,
): Promise<Map<HostId, HostSpec>> {
  const asked = [...specs].filter(([, { gpus }]) => gpus === AUTO);
  if (asked.length === 0) return specs;
  const machines = asked.map(([id, { max_jobs_allowed: _, gpus: _gpus, ...spec }]) => machineOf(makeHost(id, spec)));
  const found = await findDevices(probe, cluster, machines);
  const all = new Map(specs);
  asked.forEach(([id, spec], i) => all.set(id, { ...spec, gpus: found[i]! }));
  return all;
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
  const slurm = given.slurm === undefined ? undefined : readSlurm(problems, given.slurm);
  const gpusField = slurm === undefined ? devicesField : slurmGpus;
  const resources = setResources({
    gpus: nonEmpty(given.gpus ?? undefined) === undefined
      ? null
      : problems.take(() => given.gpus === AUTO && slurm === undefined ? AUTO : gpusField(given.gpus!)),
    cpus: given.cpus,
    memory: nonEmpty(given.memory ?? undefined) === undefined ? null : problems.take(() => sizeField(given.memory!)),
    gpu_idle: given.gpu_idle,
  });
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
    ...(given.max_jobs_allowed === undefined ? {} : { max_jobs_allowed: given.max_jobs_allowed }),
    ...resources,
    ...(slurm === undefined ? {} : { slurm }),
  };
  problems.note(
    slurm !== undefined && (spec.ip !== undefined || spec.gpu !== undefined),
    SLURM_ONLY,
  );
  problems.note(
    resources.gpu_idle === true && given.gpus === undefined,
    "Cannot use gpu_idle without gpus: name the devices, such as 0-3",
  );
  const list = problems.take(() => expand(request.id)) ?? [];
  copies.add(list, given);
  const ids = problems.take(() => list.map(hostId)) ?? [];
  problems.note(request.id.replaceAll(",", "") === "", "Cannot add hosts: --id is empty");
  problems.take(() => machineName(spec.name));
  problems.take(() => userName(spec.user));
  if (spec.ip !== undefined) problems.take(() => machineName(spec.ip as string));
  if (spec.gpu !== undefined) problems.take(() => gpuList(spec.gpu as string));
  problems.note(spec.gpu !== undefined && resources.gpus !== undefined, GPU_TWICE);
  problems.note(
    hasControl(spec.status ?? ""),
    `Cannot use ${JSON.stringify(shortened(spec.status ?? ""))} as status: it holds a control character`,
  );
  problems.note(spec.pyenv?.includes("\0") ?? false, "Cannot use this pyenv: it holds a NUL character");
  return { ids, spec };
}

/** The fields of an entry of Slurm, made plain. */
function readSlurm(
  problems: Problems,
  given: Readonly<Record<string, string | number>>,
): Record<string, string | number> {
  const fields: Record<string, string | number> = {};
  for (const key of SLURM_FIELDS) {
    const text = String(given[key] ?? "");
    const value = text === "" ? undefined : problems.take(() => slurmField(key, text));
    if (value !== undefined) fields[key] = value;
  }
  problems.note(
    fields["kind"] === undefined && Object.keys(fields).length > 0,
    `Cannot use ${Object.keys(fields).join(", ")} of a host over ssh: give --kind=slurm for an entry of Slurm`,
  );
  const conflict = slurmConflict(fields);
  problems.note(conflict !== null, conflict ?? "");
  return fields;
}
