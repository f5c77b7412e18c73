/**
 * `cluster check`: how the hosts of a cluster are, all asked at once. Changes nothing, neither here nor there.
 *
 * @module
 */

import { parseDevices } from "../cluster/devices.ts";
import { type Host, machineOf } from "../cluster/host.ts";
import { type Machine, machineKey, machineText, tellApart } from "../cluster/machine.ts";
import { isSlurm } from "../cluster/slurm_entry.ts";
import type { Deps } from "../deps.ts";
import { type MachineFacts, makeProbe, type Probe, type ProbeResult } from "../link/probe.ts";
import { expand } from "../names/expand.ts";
import { fold } from "../names/fold.ts";
import { hostId } from "../names/grammar.ts";
import { renderDuration, renderKiB } from "../names/units.ts";
import { readCluster } from "../store/cluster_file.ts";
import { listNames } from "../store/queue_file.ts";
import { readQueueId } from "../store/queue_id.ts";
import type { StoreRef } from "../store/store.ts";
import { requireHosts } from "./set_host_field.ts";

/** Times of jobs are the host's; what is further off confuses people. */
const CLOCK_MS = 5_000;
/** With less room a job may fail to write its output. */
const LEAST_KIB = 100 * 1024;

/** How a host is. `troubles` empty: it is well. Facts are null where it does not answer. */
export interface HostCheck {
  readonly id: string;
  readonly machine: string;
  readonly status: string;
  readonly troubles: readonly string[];
  /** Good to know. */
  readonly notes: readonly string[];
  readonly facts: MachineFacts | null;
}

/** What {@link checkHosts} takes. `id` is an expandable list; missing means all hosts. */
export interface CheckHostsRequest {
  readonly cluster: StoreRef;
  readonly id?: string | undefined;
}

/**
 * Checks hosts, also those that are not active.
 * @throws {CmsError} `not_found` if the cluster or one of the ids does not exist.
 */
export async function checkHosts(
  deps: Deps,
  { cluster, id }: CheckHostsRequest,
  probe: Probe = makeProbe(deps),
): Promise<HostCheck[]> {
  const all = await readCluster(deps, cluster);
  const hosts = id === undefined ? [...all.values()] : requireHosts(all, expand(id).map(hostId), cluster);
  const named = tellApart(hosts.map(machineOf));
  const machines = new Map<string, Machine>();
  for (const machine of named) if (!machines.has(machineKey(machine))) machines.set(machineKey(machine), machine);
  const keys = [...machines.keys()];
  const results = await probe([...machines.values()], { directory: cluster.experiment, here: cluster.directory });
  const ours = new Set<string>();
  for (const name of await listNames(deps, cluster.directory, "queue")) {
    const queueId = await readQueueId(deps, { ...cluster, name });
    if (queueId !== null) ours.add(queueId);
  }
  const ids = keys.map((key) => fold(hosts.filter((_, i) => machineKey(named[i]!) === key).map((host) => host.id)));
  const ofSlurm = new Map<Host, Verdict>();
  for (const host of hosts.filter(isSlurm)) {
    const { checkSlurm } = await import("../slurm/check.ts");
    ofSlurm.set(host, await checkSlurm(deps, { host, cluster }));
  }
  return hosts.map((host, i): HostCheck => {
    const place = keys.indexOf(machineKey(named[i]!));
    const result = results[place]!;
    return {
      id: host.id,
      machine: machineText(named[i]!),
      status: host.status,
      ...joined(verdict(host, result, { place, ids, results, ours }), ofSlurm.get(host)),
      facts: result.type === "told" ? result.facts : null,
    };
  });
}

type Verdict = Pick<HostCheck, "troubles" | "notes">;

function joined(own: Verdict, more: Verdict = { troubles: [], notes: [] }): Verdict {
  return { troubles: [...own.troubles, ...more.troubles], notes: [...own.notes, ...more.notes] };
}

interface Surroundings {
  /** The machine's place among those that were asked. */
  readonly place: number;
  /** Ids of the hosts of each machine. */
  readonly ids: readonly string[];
  readonly results: readonly ProbeResult[];
  readonly ours: ReadonlySet<string>;
}

function verdict(host: Host, result: ProbeResult, about: Surroundings): Pick<HostCheck, "troubles" | "notes"> {
  if (result.type === "silent") return { troubles: [`cannot be reached: ${result.reason}`], notes: [] };
  const { facts, unfinished } = result;
  const troubles: string[] = [];
  if (unfinished !== null) troubles.push(`did not say all: ${unfinished}`);
  if (facts.missing.length > 0) troubles.push(`has no ${facts.missing.join(", ")}`);
  if (!facts.hasProc) troubles.push("has no /proc (hosts are Linux machines)");
  if (facts.unwritable !== null) troubles.push(`cannot write in ${facts.unwritable.replace(" ", ": ")}`);
  if (facts.roomKiB !== null && facts.roomKiB < LEAST_KIB) {
    troubles.push(`has ${renderKiB(facts.roomKiB)} left on its disk`);
  }
  if (facts.clockMs !== null && Math.abs(facts.clockMs) > CLOCK_MS) {
    const off = renderDuration(Math.abs(facts.clockMs));
    troubles.push(`its clock is ${off} ${facts.clockMs > 0 ? "ahead" : "behind"}`);
  }
  return { troubles, notes: notesOf(host, facts, about) };
}

function notesOf(host: Host, facts: MachineFacts, { place, ids, results, ours }: Surroundings): string[] {
  const notes: string[] = [];
  if (host.status !== "active") notes.push(host.status);
  if (facts.missingForInput.length > 0) {
    notes.push(`has no ${facts.missingForInput.join(", ")}, which jobs with input need`);
  }
  const gpus = host.gpu.split(",").filter((gpu) => gpu !== "");
  if (gpus.some((gpu) => Number(gpu) >= facts.gpus.length)) {
    notes.push(`names GPU ${host.gpu}, and shows ${facts.gpus.length === 0 ? "none" : facts.gpus.length}`);
  }
  const devices = typeof host.gpus === "string" && !isSlurm(host) ? parseDevices(host.gpus).ids : [];
  if (devices.some((id) => id >= facts.gpus.length)) {
    notes.push(`names GPUs ${host.gpus}, and shows ${facts.gpus.length === 0 ? "none" : facts.gpus.length}`);
  }
  const isSame = (at: number): boolean => {
    const other = results[at];
    return other?.type === "told" && other.facts.machine === facts.machine && facts.machine.length > 1;
  };
  const same = ids.filter((_, at) => at !== place && isSame(at));
  if (same.length > 0) notes.push(`is the same machine as ${same.join(",")}`);
  const shares = facts.sharesWith.filter((at) => at >= 0 && !isSame(at)).map((at) => ids[at]!);
  if (facts.sharesWith.includes(-1) && host.name !== "localhost") shares.push("the manager");
  if (shares.length > 0) notes.push(`shares its home with ${shares.join(", ")}`);
  // Beside the queues' directories there is one of the starters of allocations.
  const others = facts.queues.filter(({ id }) => !ours.has(id) && id !== "slurm");
  if (others.length > 0) {
    const live = others.filter((queue) => queue.isLive).length;
    notes.push(
      `has files of ${others.length} other queue${others.length === 1 ? "" : "s"}${
        live > 0 ? `, ${live} of them with a run` : ""
      }`,
    );
  }
  return notes;
}
