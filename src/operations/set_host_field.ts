/**
 * Sets one field of hosts of a cluster. Each field has a type; the value comes as text and is read by it.
 *
 * @module
 */

import { AUTO, devicesField } from "../cluster/devices.ts";
import { defaultCapacity, type Host, machineOf } from "../cluster/host.ts";
import { isSlurm, SLURM_FIELDS, slurmCapacity, slurmConflict, slurmField, slurmGpus } from "../cluster/slurm_entry.ts";
import type { Deps } from "../deps.ts";
import { CmsError, InvalidError, NotFoundError } from "../errors.ts";
import { type Environment, readEnvironment } from "../names/environment.ts";
import { expand } from "../names/expand.ts";
import { gpuList, type HostId, hostId, machineName, userName } from "../names/grammar.ts";
import { sizeField } from "../names/units.ts";
import { shortened } from "../names/some_names.ts";
import { makeProbe, type Probe } from "../link/probe.ts";
import { changeCluster, readCluster } from "../store/cluster_file.ts";
import type { Hosts, StoreRef } from "../store/store.ts";
import { GPU_TWICE, SLURM_ONLY } from "./add_hosts.ts";
import { findDevices } from "./find_devices.ts";
import { hasControl, Problems } from "./check.ts";
import { Copies } from "./copies.ts";

/** What {@link setHostField} takes. `id` is an expandable list. */
export interface SetHostFieldRequest {
  readonly cluster: StoreRef;
  readonly id: string;
  readonly key: string;
  readonly value: string;
}

type Field = Exclude<keyof Host, "extra" | "env">;

/** How each field's text is read. */
const READERS: { readonly [K in Field]-?: (value: string) => Host[K] } = {
  user: userName,
  name: machineName,
  id: hostId,
  ip: (value) => isNone(value) ? null : machineName(value),
  status: (value) => value === "" ? fail("status", value, "a word, such as active") : line("status", value),
  job_counter: (value) => integer("job_counter", value, 0),
  max_jobs_allowed: (value) => integer("max_jobs_allowed", value, 0),
  cores: (value) => integer("cores", value, 1),
  threads: (value) => integer("threads", value, 1),
  gpu: (value) => value === "" ? value : gpuList(value),
  pyenv: (value) => value.includes("\0") ? fail("pyenv", value, "text without a NUL character") : value,
  probe_status: (value) => truth("probe_status", value),
  probe_time: (value) => isNone(value) ? null : line("probe_time", value),
  ping_status: (value) => truth("ping_status", value),
  ping_time: (value) => isNone(value) ? null : line("ping_time", value),
  gpus: (value) => isNone(value) ? null : value === AUTO ? AUTO : devicesField(value),
  cpus: (value) => isNone(value) ? null : integer("cpus", value, 1),
  memory: (value) => isNone(value) ? null : sizeField(value),
  gpu_idle: (value) => isNone(value) ? null : truth("gpu_idle", value),
};

/** The fields that can be set, and `env`, whose variables are set by `env.NAME`. */
export const HOST_FIELDS: readonly string[] = [...Object.keys(READERS), ...SLURM_FIELDS, "env"];

const VARIABLES = "env.";

/**
 * Sets the field of each host. The key `id` renames one host, which keeps its place.
 * @returns The ids in order, as they were given.
 * @throws {InvalidError} If the list, the key or the value cannot be used.
 * @throws {CmsError} `not_found` if the cluster or any of the ids does not exist; `conflict` if a new id is taken.
 * Nothing is changed then.
 */
export function setHostField(deps: Deps, request: SetHostFieldRequest): Promise<{ changed: HostId[] }> {
  const { cluster, id, key, value } = request;
  return setHostFields(deps, { cluster, id, fields: { [key]: value } });
}

/** What {@link setHostFields} takes. */
export interface SetHostFieldsRequest {
  readonly cluster: StoreRef;
  readonly id: string;
  /** `env.NAME` sets a variable, or takes it out if the value is empty; so does an empty `env` with all of them. */
  readonly fields: Readonly<Record<string, string>>;
  /** All variables anew; null for none. */
  readonly env?: Environment | null | undefined;
}

/** {@link setHostField} for several fields at once, all or none. */
export async function setHostFields(
  deps: Deps,
  request: SetHostFieldsRequest,
  probe: Probe = makeProbe(deps),
): Promise<{ changed: HostId[] }> {
  const problems = new Problems();
  const ids = problems.take(() => expand(request.id).map(hostId)) ?? [];
  new Copies("set fields of hosts").add(ids, request.fields);
  const values: Partial<Host> = {};
  const slurm: Record<string, string | number | null> = {};
  for (const [key, text] of Object.entries(request.fields)) {
    if (key === "env" || key.startsWith(VARIABLES)) continue;
    if (SLURM_FIELDS.includes(key)) {
      problems.take(() => slurm[key] = isNone(text) ? null : slurmField(key, text));
      continue;
    }
    problems.take(() => Object.assign(values, { [key]: READERS[fieldOf(key)](text) }));
  }
  const variables = problems.take(() => readVariables(request), "env: ");
  problems.throwIfAny();
  const found = values.gpus === AUTO ? await findAll(deps, request.cluster, ids, probe) : null;
  await changeCluster(deps, request.cluster, (hosts) => {
    const chosen = new Set(requireHosts(hosts, ids, request.cluster));
    if (values.id !== undefined) checkRename(hosts, ids, values.id, request.cluster);
    const changed = new Map<HostId, Host>();
    for (const host of hosts.values()) {
      const now = chosen.has(host)
        ? withFields(host, {
          ...values,
          ...(found === null ? {} : { gpus: found.get(host.id)! }),
          ...variables?.(host.env ?? {}),
          ...withSlurm(host, slurm),
        })
        : host;
      changed.set(now.id, now);
    }
    return changed;
  });
  return { changed: ids };
}

/** Fields of an entry of Slurm. null takes one out. */
function withSlurm(host: Host, fields: Readonly<Record<string, string | number | null>>): Partial<Host> {
  const keys = Object.keys(fields);
  if (keys.length === 0) return {};
  if (!isSlurm(host)) {
    throw new InvalidError([`Cannot set ${keys.join(", ")} of host ${host.id}: it is no entry of kind slurm`]);
  }
  if (fields["kind"] === null) {
    throw new InvalidError([`Cannot take kind from ${host.id}: delete it, and add a host over ssh`]);
  }
  const all = new Map(Object.entries({ ...host.extra, ...fields }));
  for (const key of keys) if (fields[key] === null) all.delete(key);
  const extra = Object.fromEntries(all);
  const conflict = slurmConflict(extra);
  if (conflict !== null) throw new InvalidError([`Cannot set ${keys.join(", ")} of host ${host.id}: ${conflict}`]);
  return { extra };
}

/** How the variables of a host are changed; undefined if they stay. */
function readVariables(
  { fields, env }: SetHostFieldsRequest,
): ((before: Environment) => Pick<Host, "env">) | undefined {
  const changes = Object.entries(fields).filter(([key]) => key.startsWith(VARIABLES))
    .map(([key, value]): [string, string] => [key.slice(VARIABLES.length), value]);
  // A name is checked also where its variable is taken out.
  readEnvironment(Object.fromEntries(changes));
  const isClear = fields.env !== undefined;
  if (isClear && fields.env !== "") fail("env", fields.env!, "env.NAME as the key, to set one variable");
  if (changes.length === 0 && env === undefined && !isClear) return undefined;
  const begin = env === undefined || env === null ? null : readEnvironment(env);
  return (before) => {
    const all = new Map(Object.entries((isClear || env !== undefined ? begin : before) ?? {}));
    for (const [name, value] of changes) {
      if (value === "") all.delete(name);
      else all.set(name, value);
    }
    return { env: all.size === 0 ? null : Object.fromEntries(all) };
  };
}

/** The devices of hosts, asked of their machines. */
async function findAll(
  deps: Deps,
  cluster: StoreRef,
  ids: readonly HostId[],
  probe: Probe,
): Promise<Map<HostId, string>> {
  const hosts = requireHosts(await readCluster(deps, cluster), ids, cluster);
  const found = await findDevices(probe, cluster, hosts.map(machineOf));
  return new Map(hosts.map(({ id }, i) => [id, found[i]!]));
}

/** A host with other fields. One that ran as many jobs at once as it had GPUs goes on with as many as it has now. */
function withFields(host: Host, values: Partial<Host>): Host {
  const now = { ...host, ...values };
  if (isSlurm(now)) return withSlurmFields(now);
  if (now.gpu !== "" && (now.gpus ?? null) !== null) throw new InvalidError([GPU_TWICE]);
  const follows = values.gpus !== undefined && values.max_jobs_allowed === undefined &&
    host.max_jobs_allowed === defaultCapacity(host);
  return follows ? { ...now, max_jobs_allowed: defaultCapacity(now) } : now;
}

/** The same for an entry of Slurm, whose GPUs are a number. */
function withSlurmFields(now: Host): Host {
  if ((now.gpus ?? null) !== null) slurmGpus(now.gpus!);
  if (now.ip !== null || now.gpu !== "") throw new InvalidError([SLURM_ONLY]);
  return now.max_jobs_allowed === 0 ? { ...now, max_jobs_allowed: slurmCapacity(now) } : now;
}

/**
 * The hosts of these ids, in order.
 * @throws {CmsError} `not_found`, naming the first that does not exist.
 */
export function requireHosts(hosts: Hosts, ids: readonly HostId[], cluster: StoreRef): Host[] {
  return ids.map((id) => {
    const host = hosts.get(id);
    if (host === undefined) {
      throw new NotFoundError("host", id, `Host id: ${id} does not exist in cluster ${cluster.name}`);
    }
    return host;
  });
}

/** Two hosts under one id would be one host. */
function checkRename(hosts: Hosts, ids: readonly HostId[], next: HostId, cluster: StoreRef): void {
  if (ids.length > 1) throw new InvalidError([`Cannot give ${ids.length} hosts the same id "${next}"`]);
  if (ids[0] !== next && hosts.has(next)) {
    throw new CmsError("conflict", `Cannot rename host "${ids[0]}": cluster ${cluster.name} has a host "${next}"`);
  }
}

function fieldOf(key: string): Field {
  if (Object.hasOwn(READERS, key)) return key as Field;
  throw new InvalidError([
    `Cannot set ${JSON.stringify(shortened(key))} of a host: use one of ${HOST_FIELDS.join(", ")}`,
  ]);
}

function isNone(value: string): boolean {
  return value === "" || value === "null" || value === "None";
}

function integer(key: string, value: string, least: number): number {
  const number = /^[0-9]{1,9}$/.test(value) ? Number(value) : -1;
  return number < least ? fail(key, value, `a whole number, ${least} or more`) : number;
}

function truth(key: string, value: string): boolean {
  const at = ["true", "True", "false", "False"].indexOf(value);
  return at < 0 ? fail(key, value, "true or false") : at < 2;
}

function line(key: string, value: string): string {
  return hasControl(value) ? fail(key, value, "text of one line") : value;
}

function fail(key: string, value: string, wanted: string): never {
  throw new InvalidError([`Cannot use ${JSON.stringify(shortened(value))} as ${key}: give ${wanted}`]);
}
