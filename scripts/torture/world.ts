/**
 * Where a campaign takes place: test hosts, a manager whose experiment directory is a small disk of its own, a cluster.
 *
 * @module
 */

import type { SchedulerName } from "../../src/store/run_status.ts";
import { makeHosts, type TestHost, type TestHosts } from "../../testing/hosts.ts";
import { must, outcomeOf } from "../../testing/hosts/shell.ts";
import { Manager } from "../../testing/harness.ts";
import { makeManager, QUICK_SSH } from "../../testing/harness_faults.ts";
import type { Tries } from "./jobs.ts";
import type { Journal } from "./deeds.ts";
import type { Keeper } from "./keeper.ts";
import type { TortureOptions } from "./options.ts";

/** Room for a round's queue file, its journal, and some copies of each while they are written. */
const DISK = "24m";
/** Each machine runs two jobs at once. */
const SLOTS = 2;
/** The cluster of all hosts. */
export const CLUSTER = "c";

/** All that faults are done to. */
export interface World {
  readonly hosts: readonly TestHost[];
  readonly manager: Manager;
  readonly journal: Journal;
  /** How long a host may be silent before it is given up. */
  readonly timeoutMs: number;
  /** The longest time that the manager stands still. */
  readonly longestStopMs: number;
  readonly round: Round;
  /** True while a fault has left the queue file as no YAML. */
  torn: boolean;
}

/** A queue and its run. */
export interface Round {
  readonly queue: string;
  readonly scheduler: SchedulerName;
  readonly keeper: Keeper;
  /** Jobs at once over all hosts; null if only hosts limit them. */
  readonly maxParallel: number | null;
  /** Its jobs write down what they do in this directory of their host's home. */
  readonly records: "ran" | "rival";
  /** What its jobs ask for; null for nothing. */
  readonly tries: Tries | null;
  /** Begins the names of all its jobs. */
  readonly prefix: string;
  /** Jobs that were made for it, in file order. */
  readonly names: readonly string[];
}

/** A place without a round. */
export interface Place {
  readonly rig: TestHosts;
  readonly hosts: readonly TestHost[];
  readonly manager: Manager;
  /** Slots by host name. */
  readonly slots: ReadonlyMap<string, number>;
}

/** Makes hosts and manager; they go with the stack. @throws {Error} If it cannot be done here. */
export async function makePlace(options: TortureOptions, stack: AsyncDisposableStack): Promise<Place> {
  const names = Array.from({ length: options.hosts }, (_, i) => `t${String(i + 1).padStart(2, "0")}`);
  const rig = stack.use(await makeHosts(names, { sharedHome: options.sharedHome }));
  const manager = await makeManager(rig, QUICK_SSH);
  if (!options.keep) stack.use(manager);
  const directory = manager.path("");
  await Deno.mkdir(directory, { recursive: true });
  if (!options.keep) {
    await must(["mount", "-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", directory]);
    stack.defer(async () => void await outcomeOf(["umount", "-R", "-l", directory]));
  }
  const hosts = names.map((name) => rig.host(name));
  for (const host of hosts) await host.run(`mkdir -p ~/ran/${host.name} ~/rival/${host.name}`);
  await makeCluster(manager, names);
  return { rig, hosts, manager, slots: new Map(names.map((name) => [name, SLOTS])) };
}

/** Every second machine has one entry for two jobs, the others two entries for one job each. */
async function makeCluster(manager: Manager, names: readonly string[]): Promise<void> {
  await manager.ok("cluster", "create", CLUSTER);
  for (const [i, name] of names.entries()) {
    const add = (id: string, gpu: string) =>
      manager.ok("cluster", "add", CLUSTER, `--id=${id}`, `--name=${name}`, "--user=pi", `--gpu=${gpu}`);
    await add(name, "0");
    if (i % 2 === 1) await add(`${name}b`, "1");
    else {
      await manager.ok("cluster", "set", CLUSTER, `--id=${name}`, "--key=max_jobs_allowed", `--value=${SLOTS}`);
    }
  }
}
