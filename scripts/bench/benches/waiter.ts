/**
 * What `queue wait` costs beside a run of a large queue: its own processor time and memory, and the run's rate.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { CountedRun, cpuOf, end, memoryOf, start } from "../processes.ts";
import { outputOf } from "../program.ts";
import { openRig, withNewDisks } from "../rig.ts";

const SLOTS = 4;
/** How long the starts are counted, alone, beside the waiter, and alone again. */
const SPAN_MS = 15_000;
/** Until then a program has begun. */
const BEGIN_MS = 3_000;
const NAMES = {
  with: "jobs/s beside `queue wait`",
  alone: "jobs/s alone",
  cpu: "% of a core that `queue wait` takes",
  memory: "MB more than an empty program",
} as const;

/** See the module. */
export const waiter: Bench = {
  name: "waiter",
  about: "a run of 100,000 jobs beside `queue wait`, and alone; what the waiter takes",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 100_000;
  const { directory, program } = setting;
  const rig = await openRig(["red"], directory, stack);
  const options = { cwd: directory, env: { CMS_SSH: rig.ssh.join(" ") } };
  const hosts = Array(SLOTS).fill("pi@red").join(",");
  const work = async (round: number): Promise<Record<string, number>> => {
    const experiment = `waiter-${round}`;
    const queue = (...words: string[]) => [...program, "queue", ...words, `--experiment=${experiment}`];
    await outputOf(queue("create", "a"), options);
    await outputOf(queue("add", "a", `--name=job[1-${jobs}]`, "--command=true", "--shell=sh"), options);
    const emptyMb = await mbOf([Deno.execPath(), "eval", "setTimeout(() => {}, 2000)"], options);
    return await withNewDisks(rig.hosts, { name: experiment, jobs }, async () => {
      const run = new CountedRun(queue("run", "fifo_multi", "a", `--hosts=${hosts}`), options);
      const rate = async (): Promise<number> => {
        const [beganMs, before] = [performance.now(), run.starts];
        await pause(SPAN_MS);
        return ((run.starts - before) * 1000) / (performance.now() - beganMs);
      };
      const waiters: Deno.ChildProcess[] = [];
      try {
        await run.begun;
        const first = await rate();
        const wait = start(queue("wait", "a"), options, "null");
        waiters.push(wait);
        await pause(BEGIN_MS);
        const before = cpuOf(wait.pid);
        const beside = await rate();
        const cpu = ((cpuOf(wait.pid) - before) * 100_000) / SPAN_MS;
        const mb = ownMb(wait.pid);
        end(wait);
        const last = await rate();
        return {
          [NAMES.with]: beside,
          [NAMES.alone]: (first + last) / 2,
          [NAMES.cpu]: cpu,
          [NAMES.memory]: mb - emptyMb,
        };
      } finally {
        for (const child of waiters) end(child);
        await Promise.all([run.end(), ...waiters.map(({ status }) => status)]);
      }
    });
  };
  return {
    work: `${SPAN_MS / 1000} s of a run of ${
      jobs.toLocaleString("en-US")
    } jobs of \`true\` (sh) on one ssh host with ${SLOTS} slots`,
    contenders: sharedContenders<string>(Object.values(NAMES), work),
    questions: [
      { of: NAMES.with, to: NAMES.alone, mark: { atLeast: 0.95 } },
      { of: NAMES.cpu, to: null, mark: { below: 2 } },
      { of: NAMES.memory, to: null, mark: { atMost: 20 } },
    ],
  };
}

interface Options {
  readonly cwd: string;
  readonly env: Record<string, string>;
}

function pause(ms: number): Promise<void> {
  return new Promise((go) => setTimeout(go, ms));
}

/** The memory of a program after a second. */
async function mbOf(command: readonly string[], options: Options): Promise<number> {
  const child = start(command, options, "null");
  await pause(1_000);
  const mb = ownMb(child.pid);
  await child.status;
  return mb;
}

/** Its own memory: pages of the executable's file are shared by all processes of it. */
function ownMb(pid: number): number {
  return memoryOf(pid, "RssAnon") ?? NaN;
}
