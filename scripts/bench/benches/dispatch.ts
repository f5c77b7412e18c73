/**
 * What a job costs: many jobs that do nothing, over one ssh host with four slots.
 *
 * @module
 */

import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { cmsContender } from "../contenders/cms.ts";
import { floorContender } from "../contenders/floor.ts";
import { parallelContenders } from "../contenders/parallel.ts";
import { openRig } from "../rig.ts";

const SLOTS = 4;

/** See the module. */
export const dispatch: Bench = {
  name: "dispatch",
  about: "2,000 jobs of `true` over one ssh host with 4 slots, against a bare shell loop and GNU parallel",
  measure: "jobs/s",
  rounds: 3,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 2000;
  const rig = await openRig(["red"], setting.directory, stack);
  const hosts = Array(SLOTS).fill("pi@red").join(",");
  const cms = (shell: string) =>
    cmsContender(rig, setting, { name: `cms, ${shell}`, amount: jobs, jobs, command: "true", shell, hosts });
  const floor = (shell: string) =>
    floorContender(rig, { name: `floor, ${shell}`, jobs, slots: SLOTS, shell, command: "true" });
  const contenders: Contender[] = [cms("bash"), cms("sh"), floor("bash"), floor("sh")];
  contenders.push(...await parallelContenders(rig, setting, { jobs, slots: SLOTS, kept: true }));
  return {
    work: `${jobs.toLocaleString("en-US")} jobs of \`true\` over one ssh host with ${SLOTS} slots`,
    contenders,
    questions: [
      ...["bash", "sh"].map((shell) => ({ of: `cms, ${shell}`, to: `floor, ${shell}`, mark: { atLeast: 0.8 } })),
      ...["bash", "sh"].flatMap((shell) => [
        { of: `cms, ${shell}`, to: "parallel -S", mark: { atLeast: 60 } },
        { of: `cms, ${shell}`, to: "parallel -S -M", mark: { atLeast: 12 } },
      ]),
    ],
  };
}
