/**
 * Jobs of a fifth of a second: how long slots stay empty between two of them, here and in a bare loop on the host.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { runCms } from "../contenders/cms.ts";
import { fixedContender } from "../contenders/fixed.ts";
import { runFloor } from "../contenders/floor.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { openRig } from "../rig.ts";

const SLOTS = 8;
const SECONDS = 0.2;

/** See the module. */
export const sleep: Bench = {
  name: "sleep",
  about: "200 jobs of `sleep 0.2` over one ssh host with 8 slots, against slots that are never empty",
  measure: "ms",
  rounds: 3,
  warmUp: false,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 200;
  const rig = await openRig(["red"], setting.directory, stack);
  const hosts = Array(SLOTS).fill("pi@red").join(",");
  const [span, whole, ideal] = ["first start to last end", "whole process", "ideal"] as const;
  const floor = "floor, first start to last end";
  const command = `sleep ${SECONDS}`;
  const work = { name: "sleep", jobs, command, shell: null, hosts };
  const floorWork = { name: "floor", jobs, slots: SLOTS, shell: "bash", command };
  const run = async (round: number) => {
    const { ms, spanMs } = await runCms(rig, setting, work, round);
    return { [span]: spanMs, [whole]: ms } as Record<typeof span | typeof whole, number>;
  };
  return {
    work: `${jobs} jobs of \`sleep ${SECONDS}\` over one ssh host with ${SLOTS} slots`,
    contenders: [
      ...sharedContenders([span, whole], run),
      { name: floor, amount: 1, run: async (round) => (await runFloor(rig, floorWork, round)).spanMs },
      fixedContender(ideal, 1, Math.ceil(jobs / SLOTS) * SECONDS * 1000),
    ],
    questions: [
      { of: span, to: ideal, mark: { atMost: 1.03 } },
      { of: floor, to: ideal, mark: null },
      { of: whole, to: ideal, mark: null },
    ],
  };
}
