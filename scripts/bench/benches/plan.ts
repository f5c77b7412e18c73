/**
 * How well `queue plan` says what the run that follows takes, on real hosts.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { outputOf } from "../program.ts";
import { openRig, THREE, withNewDisks } from "../rig.ts";

const SLOTS = 40;

/** See the module. */
export const plan: Bench = {
  name: "plan",
  about: "5,000 jobs of `sleep 1` on 40 slots of three ssh hosts: the time that they take by what queue plan said",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 5_000;
  const rig = await openRig(THREE, setting.directory, stack);
  const hosts = Array.from({ length: SLOTS }, (_, i) => `pi@${THREE[i % THREE.length]}`).join(",");
  const options = { cwd: setting.directory, env: { CMS_SSH: rig.ssh.join(" ") } };
  const run = async (round: number): Promise<number> => {
    const experiment = `plan-${round}`;
    const cms = async (...words: string[]): Promise<string> =>
      await outputOf([...setting.program, "queue", ...words, `--experiment=${experiment}`], options);
    await cms("create", "a");
    await cms("add", "a", `--name=job[1-${jobs}]`, "--command=sleep 1");
    await cms("plan", "a", `--hosts=${hosts}`, "--duration=1s");
    return await withNewDisks(rig.hosts, { name: experiment, jobs }, async () => {
      await cms("run", "fifo_multi", "a", `--hosts=${hosts}`);
      const [status] = JSON.parse(await cms("status", "a", "--output=json"));
      setting.say(`planned ${status.plan.makespan} s, took ${status.plan.took} s`);
      return status.plan.took / status.plan.makespan;
    });
  };
  return {
    work: `${jobs.toLocaleString("en-US")} jobs of \`sleep 1\` on ${SLOTS} slots of three ssh hosts`,
    contenders: [{ name: "took / planned", amount: 1, run }],
    questions: [{ of: "took / planned", to: null, mark: { atMost: 1.05 } }],
  };
}
