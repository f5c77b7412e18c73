/**
 * The same on three hosts: what the manager can feed at once. They share this machine's processors with it.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { cmsContender } from "../contenders/cms.ts";
import { parallelContenders } from "../contenders/parallel.ts";
import { openRig, THREE } from "../rig.ts";

const SLOTS = 4;

/** See the module. */
export const threeHosts: Bench = {
  name: "three-hosts",
  about: "3,000 jobs of `true` over three ssh hosts with 4 slots each, against GNU parallel",
  measure: "jobs/s",
  rounds: 3,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 3000;
  const rig = await openRig(THREE, setting.directory, stack);
  const hosts = Array(SLOTS).fill(THREE.map((name) => `pi@${name}`)).flat().join(",");
  const cms = ["bash", "sh"].map((shell) =>
    cmsContender(rig, setting, { name: `cms, ${shell}`, amount: jobs, jobs, command: "true", shell, hosts })
  );
  return {
    work: `${jobs.toLocaleString("en-US")} jobs of \`true\` over three ssh hosts with ${SLOTS} slots each`,
    contenders: [...cms, ...await parallelContenders(rig, setting, { jobs, slots: SLOTS, kept: false })],
    questions: cms.map(({ name }) => ({ of: name, to: "parallel -S", mark: { atLeast: 60 } })),
  };
}
