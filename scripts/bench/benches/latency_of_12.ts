/**
 * What a short queue costs a person who waits for it: twelve jobs of a second on twelve slots of three hosts.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { cmsContender } from "../contenders/cms.ts";
import { openRig, THREE } from "../rig.ts";

const SLOTS = 4;

/** See the module. */
export const latencyOf12: Bench = {
  name: "latency-of-12",
  about: "12 jobs of `sleep 1` on 12 slots of three hosts, from the start of the process to its end",
  measure: "ms",
  rounds: 5,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = THREE.length * SLOTS;
  const rig = await openRig(THREE, setting.directory, stack);
  const hosts = Array(SLOTS).fill(THREE.map((name) => `pi@${name}`)).flat().join(",");
  const name = "cms queue run fifo_multi";
  const work = { name, amount: 1, jobs, command: "sleep 1", shell: null, hosts };
  return {
    work: `${jobs} jobs of \`sleep 1\` on ${jobs} slots of ${THREE.length} hosts`,
    contenders: [cmsContender(rig, setting, work)],
    questions: [{ of: name, to: null, mark: { below: 2000 } }],
  };
}
