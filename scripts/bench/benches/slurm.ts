/**
 * A queue on an allocation of Slurm against one array of the same Slurm, and what either costs slurmctld.
 *
 * @module
 */

import { makeHosts } from "../../../testing/hosts.ts";
import { startSlurm, whyNoSlurm } from "../../../testing/slurm.ts";
import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { outputOf, timeOf } from "../program.ts";

const SLOTS = 8;
const names = {
  rate: "jobs/s of cms, with the wait for the allocation",
  array: "jobs/s of sbatch --array",
  requests: "requests to slurmctld for all jobs of cms",
  arrayRequests: "requests to slurmctld for the array",
} as const;

/** See the module. */
export const slurm: Bench = {
  name: "slurm",
  about: "2,000 jobs of true on 8 slots of a Slurm, against sbatch --array, and the requests to slurmctld",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const reason = await whyNoSlurm();
  if (reason !== null) throw new Error(`Cannot run the bench: ${reason}`);
  const { directory, program } = setting;
  const jobs = setting.jobs ?? 2_000;
  const hosts = stack.use(await makeHosts(["login"]));
  const site = await startSlurm(hosts.host("login"), { nodes: ["n1"], cpus: SLOTS });

  /** Requests of users that slurmctld has had, without those of its nodes. */
  async function requests(): Promise<number> {
    const text = await site.admin("sdiag");
    const [, part = ""] = /statistics by message type[^\n]*\n(.*?)\n\n/s.exec(text) ?? [];
    const counts = part.split("\n").map((line) => /^\s*(\S+)\s.*count:(\d+)/.exec(line)).filter((each) =>
      each !== null
    );
    // What nodes say of themselves and of the ends of jobs, and the question for these counts.
    const others = /NODE_REGISTRATION|EPILOG|BATCH_SCRIPT|STATS_INFO|STEP_COMPLETE$|PING/;
    return counts.reduce((sum, [, name = "", count]) => others.test(name) ? sum : sum + Number(count), 0);
  }

  async function ofCms(round: number): Promise<{ ms: number; requests: number }> {
    const own = `${directory}/${round}`;
    await Deno.mkdir(`${own}/experiment`, { recursive: true });
    const options = { cwd: own, env: { CMS_SSH: `ssh -F ${hosts.sshConfig}` } };
    const cms = (...words: string[]) => outputOf([...program, ...words], options);
    await cms("cluster", "create", "hpc");
    const entry = ["--id=n", "--kind=slurm", "--name=login", "--user=pi", "--time=1h", `--cpus=${SLOTS}`];
    await cms("cluster", "add", "hpc", ...entry, `--max-jobs-allowed=${SLOTS}`, "--allocations=1");
    await cms("queue", "create", "a");
    await cms("queue", "add", "a", `--name=job[1-${jobs}]`, "--command=true", "--shell=sh");
    const before = await requests();
    const ms = await timeOf([...program, "queue", "run", "fifo_multi", "a", "--hostfile=hpc"], options);
    const after = await requests();
    const listed = JSON.parse(await cms("queue", "list", "a", "--output=json")) as { status: string }[];
    const ended = listed.filter(({ status }) => status === "end").length;
    if (ended !== jobs) throw new Error(`of ${jobs} jobs ${ended} ended`);
    return { ms, requests: after - before };
  }

  async function ofArray(): Promise<{ ms: number; requests: number }> {
    const before = await requests();
    const begin = performance.now();
    await site.ok(`sbatch --parsable --array=0-${jobs - 1} --mem-per-cpu=1 -o /dev/null --wrap=true`);
    // One look a second: what it takes itself is nothing against the minutes of the array.
    let looks = 0;
    do {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      looks++;
    } while (await site.ok("squeue -h --states=PD,R,CG | head -1") !== "");
    const ms = performance.now() - begin;
    return { ms, requests: await requests() - before - looks };
  }

  const work = async (round: number): Promise<Record<typeof names[keyof typeof names], number>> => {
    const cms = await ofCms(round);
    const array = await ofArray();
    return {
      [names.rate]: jobs / cms.ms * 1000,
      [names.array]: jobs / array.ms * 1000,
      [names.requests]: cms.requests,
      [names.arrayRequests]: array.requests,
    };
  };
  return {
    work: `${jobs.toLocaleString("en-US")} jobs of \`true\` on ${SLOTS} CPUs of one node of a Slurm`,
    contenders: sharedContenders(Object.values(names), work),
    questions: [
      { of: names.rate, to: names.array, mark: { atLeast: 20 } },
      { of: names.requests, to: null, mark: { atMost: 20 } },
      { of: names.arrayRequests, to: null, mark: null },
    ],
  };
}
