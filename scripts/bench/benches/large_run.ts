/**
 * A run of 100,000 jobs: whether it is as fast at its end as at its begin, and what the manager uses for it.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { outputOf } from "../program.ts";
import { countEnded, openRig, THREE, withNewDisks } from "../rig.ts";
import { watchRun } from "../watched_run.ts";

const SLOTS = 16;

/** See the module. */
export const largeRun: Bench = {
  name: "large-run",
  about:
    "100,000 jobs of `true` on three ssh hosts with 16 slots each: first and last tenth, memory and processor time",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 100_000;
  const { directory, program } = setting;
  const rig = await openRig(THREE, directory, stack);
  const hosts = Array(SLOTS).fill(THREE.map((name) => `pi@${name}`)).flat().join(",");
  const tenth = Math.max(1, Math.floor(jobs / 10));
  const names = {
    all: "jobs/s",
    first: "jobs/s, first tenth",
    last: "jobs/s, last tenth",
    memory: "MB, the manager's peak",
    cpu: "s of the manager's processor time for 1,000 jobs",
  };
  const work = async (round: number): Promise<Record<string, number>> => {
    const experiment = `large-${round}`;
    const queue = (...words: string[]) => [...program, "queue", ...words, `--experiment=${experiment}`];
    const options = { cwd: directory, env: { CMS_SSH: rig.ssh.join(" ") } };
    await outputOf(queue("create", "a"), options);
    await outputOf(queue("add", "a", `--name=job[1-${jobs}]`, "--command=true", "--shell=sh"), options);
    // Which host gets how many is not known before.
    return await withNewDisks(rig.hosts, { name: experiment, jobs: Math.ceil(jobs * 0.6) }, async () => {
      const run = await watchRun(queue("run", "fifo_multi", "a", `--hosts=${hosts}`), { ...options, jobs });
      const ended = await countEnded(rig.hosts, experiment);
      if (ended !== jobs) throw new Error(`The run did not do its work: of ${jobs} jobs ${ended} ended`);
      const { startsMs } = run;
      const rate = (from: number, to: number) => ((to - from) * 1000) / (startsMs[to]! - startsMs[from]!);
      return {
        [names.all]: jobs / (run.ms / 1000),
        [names.first]: rate(0, tenth),
        [names.last]: rate(jobs - 1 - tenth, jobs - 1),
        [names.memory]: run.peakMb,
        [names.cpu]: (run.cpuS * 1000) / jobs,
      };
    });
  };
  return {
    work: `${jobs.toLocaleString("en-US")} jobs of \`true\` (sh) on three ssh hosts with ${SLOTS} slots each`,
    contenders: sharedContenders(Object.values(names), work),
    questions: [
      { of: names.last, to: names.first, mark: { atLeast: 0.9 } },
      { of: names.memory, to: null, mark: { below: 400 } },
    ],
  };
}
