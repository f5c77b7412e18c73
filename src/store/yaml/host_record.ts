/**
 * A host as it stands in a cluster file, and back: fields in the original's order, then unknown ones.
 *
 * @module
 */

import { StoreError } from "../../errors.ts";
import { gpuList, type HostId, hostId, machineName, userName } from "../../names/grammar.ts";
import { devicesField } from "../../cluster/devices.ts";
import { SLURM_FIELDS, slurmCapacity, slurmConflict, slurmField, slurmGpus } from "../../cluster/slurm_entry.ts";
import { defaultCapacity, type Host, makeHost, setResources } from "../../cluster/host.ts";
import { readEnvironment } from "../../names/environment.ts";
import { sizeField } from "../../names/units.ts";
import { FieldReader, type Problem } from "./fields.ts";
import { listProblems } from "./job_record.ts";
import { joinBlocks, lineOf, parseYaml, renderBlock } from "./yaml.ts";

/** Makes a host of what stands under its id. The key counts as the id, whatever the entry says. */
export function normalizeHost(key: string, value: unknown): { host: Host; problems: readonly Problem[] } {
  const read = new FieldReader(value);
  const name = read.checked("name", machineName) ?? "";
  const user = read.checked("user", userName) ?? "";
  const made = makeHost(key as HostId, { name, user });
  const cpus = read.integerOrNull("cpus", 0);
  const slurm = readSlurm(read);
  const resources = setResources({
    gpus: read.checked("gpus", slurm.kind === undefined ? devicesField : slurmGpus) || null,
    cpus: cpus === 0 ? null : cpus,
    memory: read.checked("memory", sizeField) || null,
    gpu_idle: read.flag("gpu_idle"),
  });
  const host: Host = {
    ...made,
    ip: read.checked("ip", machineName),
    status: read.text("status", made.status),
    job_counter: read.integerOrNull("job_counter", 0) ?? made.job_counter,
    max_jobs_allowed: read.integerOrNull("max_jobs_allowed", 0) ??
      (slurm.kind === undefined ? defaultCapacity(resources) : slurmCapacity(resources)),
    cores: read.integerOrNull("cores", 0) ?? made.cores,
    threads: read.integerOrNull("threads", 0) ?? made.threads,
    gpu: read.checked("gpu", gpuList) ?? made.gpu,
    pyenv: read.text("pyenv", made.pyenv),
    probe_status: read.flag("probe_status"),
    probe_time: read.textOrNull("probe_time"),
    ping_status: read.flag("ping_status"),
    ping_time: read.textOrNull("ping_time"),
    ...resources,
  };
  const env = read.map("env", readEnvironment);
  read.drop(["id"]);
  const problems = [...read.problems];
  if (host.gpu !== "" && resources.gpus !== undefined) {
    problems.push({
      field: "gpus",
      text: "gpu and gpus are both set: gpu gives all its jobs the same, gpus each its own",
    });
  }
  const conflict = slurmConflict(slurm);
  if (conflict !== null) problems.push({ field: "link", text: conflict });
  if (name === "" && !problems.some(({ field }) => field === "name")) {
    problems.push({ field: "name", text: "name is missing: give the machine's host name" });
  }
  try {
    hostId(key);
  } catch (error) {
    problems.unshift({ field: "", text: (error as Error).message });
  }
  return { host: { ...host, ...(env === null ? {} : { env }), extra: { ...slurm, ...read.rest() } }, problems };
}

/** The fields of an entry of Slurm; of another none, whatever they are called. */
function readSlurm(read: FieldReader): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  if (!read.has("kind")) return fields;
  for (const key of SLURM_FIELDS) {
    let value: string | number | null = null;
    read.checked(key, (text) => {
      value = slurmField(key, text);
      return text;
    });
    if (value !== null) fields[key] = value;
  }
  return fields;
}

/**
 * Reads the text of a cluster file.
 * @throws {StoreError} With all problems of all hosts, and the line of the first.
 */
export function parseHosts(text: string, shown: string): Map<HostId, Host> {
  const hosts = new Map<HostId, Host>();
  const found: string[] = [];
  let line = 0;
  for (const [key, value] of parseYaml(text, shown)) {
    const { host, problems } = normalizeHost(key, value);
    for (const problem of problems) {
      if (found.length === 0) line = lineOf(text, key, problem.field === "" ? undefined : problem.field);
      found.push(`host ${JSON.stringify(key)}: ${problem.text}`);
    }
    hosts.set(host.id, host);
  }
  if (found.length > 0) throw new StoreError(shown, line, listProblems(found));
  return hosts;
}

/** The text of a cluster file. */
export function renderHosts(hosts: ReadonlyMap<HostId, Host>): string {
  return joinBlocks(
    [...hosts].map(([id, { extra, env, gpus, cpus, memory, gpu_idle, ...fields }]) =>
      renderBlock(id, {
        ...fields,
        ...(env === undefined || env === null ? {} : { env }),
        ...setResources({ gpus, cpus, memory, gpu_idle }),
        ...extra,
      })
    ),
  );
}
