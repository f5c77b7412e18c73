/**
 * A host: one entry of a cluster file, its fields in the original's order, and what makes a new one.
 *
 * @module
 */

import type { Environment } from "../names/environment.ts";
import type { HostId } from "../names/grammar.ts";
import { parseDevices } from "./devices.ts";
import type { Machine } from "./machine.ts";
import { slurmCapacity } from "./slurm_entry.ts";

/** What a host has to give besides slots. A field stands in its entry only where it is set. */
export interface HostResources {
  /** GPU devices as `devices.ts` reads them, such as `0-3`. */
  readonly gpus?: string | null | undefined;
  readonly cpus?: number | null | undefined;
  /** Such as `64G`. */
  readonly memory?: string | null | undefined;
  /** GPUs that somebody else uses are not given. */
  readonly gpu_idle?: boolean | null | undefined;
}

/** The fields of {@link HostResources}, in the order in which they are written. */
export const RESOURCE_FIELDS = [
  "gpus",
  "cpus",
  "memory",
  "gpu_idle",
] as const satisfies readonly (keyof HostResources)[];

/** One entry of a cluster. It allows `max_jobs_allowed` jobs at once; only status `active` gets jobs. */
export interface Host extends HostResources {
  readonly user: string;
  readonly name: string;
  readonly id: HostId;
  readonly ip: string | null;
  readonly status: string;
  readonly job_counter: number;
  readonly max_jobs_allowed: number;
  readonly cores: number;
  readonly threads: number;
  readonly gpu: string;
  readonly pyenv: string;
  readonly probe_status: boolean;
  readonly probe_time: string | null;
  readonly ping_status: boolean;
  readonly ping_time: string | null;
  /** Variables for its jobs. Stands in the entry only where there are any. */
  readonly env?: Environment | null;
  /** Unknown fields of the file, kept as they are. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** What `cluster add` takes for each host. */
export interface HostSpec extends HostResources {
  readonly name: string;
  readonly user: string;
  readonly ip?: string | undefined;
  readonly status?: string | undefined;
  readonly gpu?: string | undefined;
  readonly pyenv?: string | undefined;
  readonly env?: Environment | null | undefined;
  readonly max_jobs_allowed?: number | undefined;
  /** Fields of an entry of Slurm, as `slurm_entry.ts` reads them. */
  readonly slurm?: Readonly<Record<string, string | number>> | undefined;
}

/** Jobs at once, unless an entry says another number: as many as it has GPUs, or one. */
export function defaultCapacity({ gpus }: HostResources): number {
  return gpus === undefined || gpus === null ? 1 : parseDevices(gpus).ids.length;
}

/** The resources that are set, in their order. */
export function setResources(of: HostResources): HostResources {
  return Object.fromEntries(RESOURCE_FIELDS.flatMap((field) => {
    const value = of[field];
    return value === undefined || value === null || value === false ? [] : [[field, value]];
  }));
}

/** Makes a new host with the original's defaults. Pure; the spec has been checked. */
export function makeHost(id: HostId, spec: HostSpec): Host {
  return {
    user: spec.user,
    name: spec.name,
    id,
    ip: spec.ip ?? null,
    status: spec.status ?? "active",
    job_counter: 0,
    max_jobs_allowed: spec.max_jobs_allowed ??
      (spec.slurm === undefined ? defaultCapacity(spec) : slurmCapacity(spec)),
    cores: 1,
    threads: 1,
    gpu: spec.gpu ?? "",
    pyenv: spec.pyenv ?? "",
    probe_status: false,
    probe_time: null,
    ping_status: false,
    ping_time: null,
    ...(spec.env === undefined || spec.env === null ? {} : { env: spec.env }),
    ...setResources(spec),
    extra: { ...spec.slurm },
  };
}

/** The machine that a host names. */
export function machineOf(host: Host): Machine {
  return { user: host.user, name: host.name, address: host.ip !== null && host.ip !== "" ? host.ip : null };
}
