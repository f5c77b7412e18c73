/**
 * Work on the machines of jobs: one link for each machine, all machines side by side, a machine that does not answer
 * stops nobody else.
 *
 * @module
 */

import type { Deps } from "../deps.ts";
import { LinkError } from "../errors.ts";
import {
  byAddress,
  isLocal,
  type Machine,
  machineKey,
  machineOfJob,
  machineText,
  tellApart,
} from "../cluster/machine.ts";
import { machineOf } from "../cluster/host.ts";
import { someNames } from "../names/some_names.ts";
import type { Job } from "../job/job.ts";
import type { Connect, ConnectOptions, Link } from "../link/link.ts";
import { listNames } from "../store/queue_file.ts";
import { readCluster } from "../store/cluster_file.ts";
import type { QueueStore } from "../store/store.ts";

/** Machines worked on at once. */
const MACHINES_AT_ONCE = 32;

/** Where jobs are, and how to get there. */
export interface MachineWork {
  readonly connect: Connect;
  readonly store: Pick<QueueStore, "ref" | "id">;
  readonly role: ConnectOptions["role"];
  /** Told in one line of a machine that cannot be reached, and why alone. */
  readonly warn: (text: string, failure: { machine: Machine; reason: string; jobs: readonly Job[] }) => void;
}

/**
 * Calls `act` once for each machine, with an open link and its jobs. Names of one machine have their turns one after
 * the other, as two resident links to one place would end each other's agents.
 * @returns The jobs that were not worked on: their machine cannot be reached, or the link broke.
 */
export async function onMachines(
  deps: Deps,
  work: MachineWork & { readonly jobs: Iterable<Job> },
  act: (link: Link, jobs: readonly Job[]) => Promise<void>,
): Promise<Job[]> {
  const groups = new Map<string, { machine: Machine; jobs: Job[] }>();
  for (const job of work.jobs) {
    const machine = machineOfJob(job);
    if (machine === null) continue;
    const group = groups.get(machineKey(machine));
    if (group === undefined) groups.set(machineKey(machine), { machine, jobs: [job] });
    else group.jobs.push(job);
  }
  if (groups.size === 0) return [];
  const known = await knownMachines(deps, work.store.ref.directory);
  const unreached: Job[] = [];
  let pending = [...groups.values()];
  let places = new Set<string>();
  let twins: typeof pending = [];
  const one = async (): Promise<void> => {
    for (let group = pending.shift(); group !== undefined; group = pending.shift()) {
      const machine = known.get(machineKey(group.machine)) ?? group.machine;
      let isTwin = false;
      const admit = (place: string): boolean => {
        isTwin = places.has(place);
        places.add(place);
        return !isTwin;
      };
      try {
        await withLink(work, { machine, jobs: group.jobs, admit }, act);
      } catch (error) {
        if (isTwin) {
          twins.push(group);
          continue;
        }
        for (const job of group.jobs) unreached.push(job);
        const names = someNames(group.jobs.map((job) => job.name));
        const { message } = error as Error;
        const reason = error instanceof LinkError ? error.reason : message;
        work.warn(`${message} (${machineText(machine)}: ${names})`, { machine, reason, jobs: group.jobs });
      }
    }
  };
  while (pending.length > 0) {
    await Promise.all(Array.from({ length: Math.min(MACHINES_AT_ONCE, pending.length) }, one));
    [pending, twins, places] = [twins, [], new Set()];
  }
  return unreached;
}

async function withLink(
  work: MachineWork,
  { machine, jobs, admit }: { machine: Machine; jobs: readonly Job[]; admit: (place: string) => boolean },
  act: (link: Link, jobs: readonly Job[]) => Promise<void>,
): Promise<void> {
  const { ref, id } = work.store;
  const link = await work.connect(machine, {
    directory: isLocal(machine) ? ref.directory : ref.experiment,
    queueId: id,
    role: work.role,
    admit,
    onEvent: () => {},
  });
  try {
    await act(link, jobs);
  } finally {
    await link.close();
  }
}

/**
 * Machines with addresses (`ip`) that the clusters beside the queue name, by their keys, also under the names of
 * these addresses. A name with several addresses is none of them. A cluster that cannot be read gives none.
 */
export async function knownMachines(deps: Deps, directory: string): Promise<Map<string, Machine>> {
  const machines: Machine[] = [];
  for (const name of await listNames(deps, directory, "cluster")) {
    try {
      for (const host of (await readCluster(deps, { experiment: directory, directory, name })).values()) {
        machines.push(machineOf(host));
      }
    } catch {
      // Not needed for the work at hand; the command that uses the cluster says what is wrong with it.
    }
  }
  const known = new Map<string, Machine>();
  const remote = machines.filter((machine) => machine.address !== null && !isLocal(machine));
  for (const machine of remote.map(byAddress)) known.set(machineKey(machine), machine);
  for (const machine of tellApart(machines)) if (machine.address !== null) known.set(machineKey(machine), machine);
  return known;
}
