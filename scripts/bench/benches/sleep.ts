/**
 * Jobs of a fifth of a second: how long slots stay empty between two of them.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { runCms } from "../contenders/cms.ts";
import { fixedContender } from "../contenders/fixed.ts";
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
  const work = { name: "sleep", jobs, command: `sleep ${SECONDS}`, shell: null, hosts };
  const run = async (round: number) => {
    const { ms, spanMs } = await runCms(rig, setting, work, round);
    return { [span]: spanMs, [whole]: ms } as Record<typeof span | typeof whole, number>;
  };
  return {
    work: `${jobs} jobs of \`sleep ${SECONDS}\` over one ssh host with ${SLOTS} slots`,
    contenders: [
      ...sharedContenders([span, whole], run),
      fixedContender(ideal, 1, Math.ceil(jobs / SLOTS) * SECONDS * 1000),
    ],
    questions: [{ of: span, to: ideal, mark: { atMost: 1.03 } }, { of: whole, to: ideal, mark: null }],
  };
}
