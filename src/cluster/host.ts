/**
 * A host: one entry of a cluster file, its fields in the original's order, and what makes a new one.
 *
 * @module
 */

import type { Environment } from "../names/environment.ts";
import type { HostId } from "../names/grammar.ts";
import type { Machine } from "./machine.ts";

/** One entry of a cluster. It allows `max_jobs_allowed` jobs at once; only status `active` gets jobs. */
export interface Host {
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
export interface HostSpec {
  readonly name: string;
  readonly user: string;
  readonly ip?: string | undefined;
  readonly status?: string | undefined;
  readonly gpu?: string | undefined;
  readonly pyenv?: string | undefined;
  readonly env?: Environment | null | undefined;
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
    max_jobs_allowed: 1,
    cores: 1,
    threads: 1,
    gpu: spec.gpu ?? "",
    pyenv: spec.pyenv ?? "",
    probe_status: false,
    probe_time: null,
    ping_status: false,
    ping_time: null,
    ...(spec.env === undefined || spec.env === null ? {} : { env: spec.env }),
    extra: {},
  };
}

/** The machine that a host names. */
export function machineOf(host: Host): Machine {
  return { user: host.user, name: host.name, address: host.ip !== null && host.ip !== "" ? host.ip : null };
}
