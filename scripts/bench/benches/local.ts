/**
 * Jobs on the manager itself, without ssh, beside the programs that do only that.
 *
 * @module
 */

import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { localFloorContender } from "../contenders/floor.ts";
import { localContenders } from "../contenders/local.ts";
import { outputOf, timeOf } from "../program.ts";

const SLOTS = 4;

/** See the module. */
export const local: Bench = {
  name: "local",
  about: "2,000 jobs of `true` on localhost with 4 slots, against task-spooler, nq and GNU parallel",
  measure: "jobs/s",
  rounds: 3,
  open,
};

async function open(setting: Setting): Promise<Plan> {
  const jobs = setting.jobs ?? 2000;
  const cms: Contender = { name: "cms, sh", amount: jobs, run: (round) => runLocal(setting, jobs, round) };
  const work = { name: "floor, sh", jobs, slots: SLOTS, shell: "sh", command: "true" };
  const floor = localFloorContender(setting.directory, work);
  const peers = await localContenders(setting, { jobs, slots: SLOTS });
  return {
    work: `${jobs.toLocaleString("en-US")} jobs of \`true\` on localhost with ${SLOTS} slots`,
    contenders: [cms, floor, ...peers],
    questions: [
      ...peers.map(({ name }) => ({ of: cms.name, to: name, mark: { atLeast: 1 } })),
      ...[cms.name, "task-spooler"].map((of) => ({ of, to: floor.name, mark: null })),
    ],
  };
}

async function runLocal({ program, directory }: Setting, jobs: number, round: number): Promise<number> {
  const experiment = `local-${round}`;
  const queue = (...args: string[]) => [...program, "queue", ...args, `--experiment=${experiment}`];
  const options = { cwd: directory };
  await outputOf(queue("create", "a"), options);
  await outputOf(queue("add", "a", `--name=job[1-${jobs}]`, "--command=true", "--shell=sh"), options);
  const hosts = Array(SLOTS).fill("localhost").join(",");
  const ms = await timeOf(queue("run", "fifo_multi", "a", `--hosts=${hosts}`), options);
  const listed = JSON.parse(await outputOf(queue("list", "a", "--output=json"), options)) as { status: string }[];
  const ended = listed.filter(({ status }) => status === "end").length;
  if (ended !== jobs) throw new Error(`cms did not do its work: of ${jobs} jobs ${ended} ended`);
  return ms;
}
