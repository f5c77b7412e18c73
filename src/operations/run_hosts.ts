/**
 * The hosts of a run: those named on the command line, those of the cluster, and what Slurm gives. What has to do with
 * Slurm is loaded where the cluster has such an entry, and not before.
 *
 * @module
 */

import { parseDevices } from "../cluster/devices.ts";
import { type Host, machineOf, setResources } from "../cluster/host.ts";
import { type Machine, machineText, tellApart } from "../cluster/machine.ts";
import { isSlurm } from "../cluster/slurm_entry.ts";
import { isNodeName } from "../cluster/slurm_place.ts";
import type { Deps } from "../deps.ts";
import type { HostId } from "../names/grammar.ts";
import { parseSize } from "../names/units.ts";
import type { Demand } from "../scheduler/demand.ts";
import type { RunEvent } from "../scheduler/report.ts";
import type { SlotHost } from "../scheduler/slot_host.ts";
import type { SlurmHosts } from "../slurm/driver.ts";
import { changeCluster, clustersOf, readClusters } from "../store/cluster_file.ts";
import { storePaths } from "../store/paths.ts";
import type { RunAbout } from "../store/run_status.ts";
import type { StoreRef } from "../store/store.ts";

/** Where the hosts of a run come from. */
export interface HostSources {
  readonly machines: readonly Machine[];
  /** One cluster or several, see `clustersOf`. */
  readonly cluster: StoreRef | null;
  /** GPUs that somebody else uses are not given, on all hosts. */
  readonly isGpuIdle?: boolean | undefined;
  /** Nothing is run: in place of what Slurm may give stands all that it may give at most. */
  readonly isPlan?: true;
}

/** What goes on with a run whose hosts these are. */
export interface HostsOfRun {
  readonly demand: () => Demand;
  readonly onEvent: (event: RunEvent) => void;
  readonly onAllocations: (allocations: NonNullable<RunAbout["allocations"]>) => void;
}

/** Jobs that these hosts may run at once. */
export function slotsOf(hosts: readonly SlotHost[]): number {
  return hosts.reduce((sum, host) => sum + (host.active && host.isToCome !== true ? host.capacity : 0), 0);
}

/** The same for each machine; of nodes of allocations, which come and go, nothing. */
export function capacitiesOf(hosts: readonly SlotHost[]): Record<string, number> {
  const capacities: Record<string, number> = {};
  for (const host of hosts) {
    const machine = machineText(host.machine);
    if (!host.active || host.isToCome === true || isNodeName(machine)) continue;
    capacities[machine] = (capacities[machine] ?? 0) + host.capacity;
  }
  return capacities;
}

/** The hosts of one run. */
export class RunHosts {
  readonly #deps: Deps;
  readonly #queue: StoreRef;
  readonly #sources: HostSources;
  readonly #named: readonly SlotHost[];
  #slurm: SlurmHosts | null = null;
  #run: HostsOfRun | null = null;

  constructor(deps: Deps, queue: StoreRef, sources: HostSources) {
    this.#deps = deps;
    this.#queue = queue;
    this.#sources = sources;
    this.#named = sources.machines.map((machine, i): SlotHost => ({
      id: `#${i + 1}`,
      machine,
      capacity: 1,
      active: true,
      gpu: "",
      pyenv: "",
    }));
  }

  /** The hosts as they are now. @throws {CmsError} If the cluster cannot be read. */
  async read(): Promise<readonly SlotHost[]> {
    const { cluster } = this.#sources;
    const hosts = cluster === null ? [] : [...(await readClusters(this.#deps, cluster)).values()];
    const entries = hosts.filter(isSlurm);
    const plain = [
      ...this.#named,
      ...hosts.filter((host) => !isSlurm(host)).map((host) => slotHostOf(host, this.#sources.isGpuIdle)),
    ];
    const machines = tellApart(plain.map(({ machine }) => machine));
    const all = plain.map((host, i) => ({ ...host, machine: machines[i]! }));
    if (entries.length === 0 && this.#slurm === null) return all;
    return [...all, ...await this.#ofSlurm(entries, all.length > 0)];
  }

  /** True if they are others than those last read, whatever the cluster's file says. */
  haveChanged(): boolean {
    return this.#slurm?.haveChanged ?? false;
  }

  /** The run decides by those that were last read. */
  taken(): void {
    this.#slurm?.taken();
  }

  /** The run begins. */
  async begin(run: HostsOfRun): Promise<void> {
    this.#run = run;
    await this.#slurm?.begin();
  }

  /** The run is over. @param leave A person does not wait any more. */
  async finish(leave: AbortSignal): Promise<void> {
    await this.#slurm?.finish(leave);
  }

  async #ofSlurm(entries: readonly Host[], hasOthers: boolean): Promise<readonly SlotHost[]> {
    const { entryOf, mostHosts } = await import("../slurm/entry.ts");
    const all = entries.map(entryOf);
    if (this.#sources.isPlan) return all.flatMap(mostHosts);
    const { SlurmHosts } = await import("../slurm/driver.ts");
    if (this.#slurm !== null) return this.#slurm.hosts(all);
    const { makeSlurm } = await import("../slurm/command_line.ts");
    this.#slurm = new SlurmHosts({
      deps: this.#deps,
      queue: this.#queue.name,
      notesFile: storePaths(this.#queue, "queue").allocations,
      directories: { there: this.#queue.experiment, here: this.#queue.directory },
      slurmOn: (login) => makeSlurm(this.#deps, login),
      onReport: (entry, what, text) => this.#run?.onEvent({ type: "allocation", entry, what, text }),
      warn: (text) => this.#run?.onEvent({ type: "warning", text }),
      pause: (entry, reason) => this.#pause(entry, reason),
      onSummary: (allocations) => this.#run?.onAllocations(allocations),
      demand: () => this.#run!.demand(),
      hasOthers,
    });
    const hosts = this.#slurm.hosts(all);
    if (this.#run !== null) await this.#slurm.begin();
    return hosts;
  }

  /** An entry gets no more jobs before a person has looked at it. */
  async #pause(entry: string, reason: string): Promise<void> {
    for (const cluster of clustersOf(this.#sources.cluster!)) {
      let isThere = false;
      await changeCluster(this.#deps, cluster, (hosts) => {
        const host = hosts.get(entry as HostId);
        isThere = host !== undefined;
        return host === undefined ? hosts : new Map(hosts).set(host.id, { ...host, status: "paused" });
      });
      if (!isThere) continue;
      const again = `cms cluster activate ${cluster.name} --id=${entry}`;
      const text = `No more allocations are asked for ${entry}: ${reason}. To go on: ${again}`;
      this.#run?.onEvent({ type: "warning", text });
    }
  }
}

/** A host over ssh as the scheduler sees it. */
export function slotHostOf(host: Host, isGpuIdle = false): SlotHost {
  return {
    id: host.id,
    machine: machineOf(host),
    capacity: host.max_jobs_allowed,
    active: host.status === "active",
    gpu: host.gpu,
    pyenv: host.pyenv,
    ...(host.env === null || host.env === undefined ? {} : { env: host.env }),
    ...resourcesOf(host, isGpuIdle),
  };
}

/** What a host has to give besides slots, where its entry says anything of that. */
export function resourcesOf(host: Host, isGpuIdle = false): Pick<SlotHost, "has"> {
  const { gpus, cpus, memory, gpu_idle } = setResources(host);
  if (gpus === undefined && cpus === undefined && memory === undefined) return {};
  return {
    has: {
      devices: typeof gpus === "string" ? parseDevices(gpus) : null,
      cpus: cpus ?? 0,
      memory: typeof memory === "string" ? parseSize(memory) : 0,
      ...(isGpuIdle || gpu_idle === true ? { isIdleOnly: true } : {}),
    },
  };
}
