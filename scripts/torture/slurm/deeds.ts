/**
 * What is done to a Slurm and to a manager that uses it.
 *
 * @module
 */

import type { TestHost } from "../../../testing/hosts.ts";
import type { TestSlurm } from "../../../testing/slurm.ts";
import { pass } from "../faults/fault.ts";
import type { Random } from "../random.ts";
import type { RunKeeper } from "./run_keeper.ts";

/** All that things are done to. */
export interface SlurmWorld {
  readonly login: TestHost;
  readonly slurm: TestSlurm;
  readonly run: RunKeeper;
  readonly random: Random;
}

/** One kind of deed. */
export interface Deed {
  readonly name: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  /** Does it, and undoes what would not mend by itself. */
  act(world: SlurmWorld): Promise<void>;
}

/** One of these words, if there are any. */
function some(random: Random, text: string): string | null {
  const words = text.split(/\s+/).filter(Boolean);
  return words.length === 0 ? null : words[Math.floor(random.next() * words.length)]!;
}

const RUNNING = "squeue -h -r --states=R -O 'ArrayJobID:_,ArrayTaskID:'";

async function anAllocation({ login, random }: SlurmWorld): Promise<string | null> {
  return some(random, (await login.run(RUNNING)).stdout);
}

/** All of them. */
export const DEEDS: readonly Deed[] = [
  {
    name: "allocation cancelled",
    weight: 4,
    async act(world) {
      const id = await anAllocation(world);
      if (id !== null) await world.login.run(`scancel ${id}`);
    },
  },
  {
    name: "starter killed",
    weight: 1,
    async act(world) {
      const id = await anAllocation(world);
      if (id !== null) await world.login.run(`scancel --signal=KILL --batch ${id}`);
    },
  },
  {
    name: "link killed",
    weight: 5,
    async act({ login, random }) {
      const pid = some(random, (await login.run("pgrep -x srun")).stdout);
      if (pid !== null) await login.run(`kill -9 ${pid}`);
    },
  },
  {
    name: "node down for Slurm",
    weight: 2,
    async act({ login, slurm, random }) {
      const node = some(random, slurm.nodes.join(" "));
      await login.run(`scontrol update nodename=${node} state=down reason=test`, { user: "root" });
      await pass(random.between(500, 4_000));
      await login.run(`scontrol update nodename=${node} state=resume`, { user: "root" });
    },
  },
  {
    name: "node without power",
    weight: 1,
    async act({ slurm, random }) {
      const node = some(random, slurm.nodes.join(" "))!;
      await slurm.crashNode(node);
      await pass(random.between(500, 6_000));
      await slurm.bootNode(node);
    },
  },
  {
    name: "slurmctld killed",
    weight: 1,
    async act({ slurm, random }) {
      await slurm.crashControl();
      await pass(random.between(200, 8_000));
      await slurm.startControl();
    },
  },
  {
    name: "manager killed",
    weight: 3,
    act: ({ run }) => run.kill9(),
  },
];
