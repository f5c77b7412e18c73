/**
 * What `queue follow` costs a run whose jobs write all the time. What is followed is counted: none of it may be
 * missing.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";
import { openRig, THREE, withNewDisks } from "../rig.ts";

/** So many at once, on three hosts. */
const SLOTS = 20;
/** Each job writes 1,000 lines a second, for so long. */
const SECONDS = 3;
const COMMAND = `for i in $(seq ${SECONDS * 10}); do seq -f "line $i-%g of $0" 1 100; sleep 0.1; done`;

/** See the module. */
export const follow: Bench = {
  name: "follow",
  about: "20 jobs at once on three ssh hosts that write 1,000 lines a second each, alone and followed",
  measure: "jobs/s",
  rounds: 3,
  warmUp: false,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 3 * SLOTS;
  const rig = await openRig(THREE, setting.directory, stack);
  const hosts = Array.from({ length: SLOTS }, (_, i) => `pi@${THREE[i % THREE.length]}`).join(",");
  const options = { cwd: setting.directory, env: { CMS_SSH: rig.ssh.join(" ") } };
  const contender = (name: string, isFollowed: boolean) => ({
    name,
    amount: jobs,
    run: async (round: number): Promise<number> => {
      const experiment = `follow-${isFollowed ? "beside" : "alone"}-${round}`;
      const queue = (verb: string, ...args: string[]) => [
        ...setting.program,
        ...["queue", verb, "a", `--experiment=${experiment}`, ...args],
      ];
      await outputOf(queue("create"), options);
      await outputOf(queue("add", `--name=job[1-${jobs}]`, `--command=${COMMAND}`), options);
      return await withNewDisks(rig.hosts, { name: experiment, jobs }, async () => {
        const run = [...setting.program, "queue", "run", "fifo_multi", "a", `--hosts=${hosts}`];
        const ms = timeOf([...run, `--experiment=${experiment}`], options);
        if (isFollowed) check(await outputOf(queue("follow", "--all"), options), jobs);
        return await ms;
      });
    },
  });
  return {
    work: `${jobs} jobs that write 1,000 lines a second for ${SECONDS} s, ${SLOTS} at once on three ssh hosts`,
    contenders: [contender("alone", false), contender("followed", true)],
    questions: [{ of: "followed", to: "alone", mark: { atLeast: 0.95 } }],
  };
}

/** @throws {Error} If lines are missing or came twice. */
function check(text: string, jobs: number): void {
  const lines = text.split("\n").filter((line) => line !== "");
  const wanted = jobs * SECONDS * 1_000;
  if (lines.length === wanted && new Set(lines).size === wanted) return;
  throw new Error(`follow gave ${lines.length} lines, ${new Set(lines).size} of them different, of ${wanted}`);
}
