/**
 * A host behind a line of 50 ms there and back. Without prefetch each slot is empty for a round trip between two jobs.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { cmsContender } from "../contenders/cms.ts";
import { fixedContender } from "../contenders/fixed.ts";
import { openRig, withLine } from "../rig.ts";

const SLOTS = 4;
const ROUND_TRIP_MS = 50;
/** What a job takes on the host, with its slot's part of the manager. */
const JOB_MS = 3;

/** See the module. */
export const farHost: Bench = {
  name: "far-host",
  about: "2,000 jobs of `true`, 4 slots, behind a line of 50 ms there and back, against slots that wait for the line",
  measure: "jobs/s",
  rounds: 2,
  warmUp: false,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 2000;
  const rig = await openRig(["red"], setting.directory, stack);
  const far = await withLine(rig, setting.directory, ROUND_TRIP_MS);
  const hosts = Array(SLOTS).fill("pi@red").join(",");
  const [cms, near, bound] = ["cms", "cms, without the line", "slots / (round trip + 3 ms)"];
  const work = { amount: jobs, jobs, command: "true", shell: null, hosts };
  return {
    work: `${jobs.toLocaleString("en-US")} jobs of \`true\`, ${SLOTS} slots, ${ROUND_TRIP_MS} ms there and back`,
    contenders: [
      cmsContender(far, setting, { ...work, name: cms }),
      cmsContender(rig, setting, { ...work, name: near }),
      fixedContender(bound, jobs, (jobs / SLOTS) * (ROUND_TRIP_MS + JOB_MS)),
    ],
    questions: [{ of: cms, to: bound, mark: { atLeast: 5 } }, { of: cms, to: near, mark: null }],
  };
}
