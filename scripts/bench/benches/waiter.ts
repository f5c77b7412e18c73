/**
 * What `queue wait` costs beside a run of a large queue: its own processor time and memory, and the run's rate.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { outputOf } from "../program.ts";
import { openRig, withNewDisks } from "../rig.ts";

const SLOTS = 4;
/** How long the starts are counted, alone, beside the waiter, and alone again. */
const SPAN_MS = 15_000;
/** Until then a program has begun. */
const BEGIN_MS = 3_000;
const TICKS_PER_S = 100;
const MARK = /Starting job: /g;
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
    const emptyMb = await memoryOf([Deno.execPath(), "eval", "setTimeout(() => {}, 2000)"], options);
    return await withNewDisks(rig.hosts, { name: experiment, jobs }, async () => {
      const run = start(queue("run", "fifo_multi", "a", `--hosts=${hosts}`), options, "piped");
      let starts = 0;
      const reading = (async () => {
        const texts = run.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>);
        for await (const text of texts) starts += text.match(MARK)?.length ?? 0;
      })();
      const rate = async (): Promise<number> => {
        const [beganMs, before] = [performance.now(), starts];
        await pause(SPAN_MS);
        return ((starts - before) * 1000) / (performance.now() - beganMs);
      };
      const own: Deno.ChildProcess[] = [run];
      try {
        while (starts === 0) await pause(100);
        const first = await rate();
        const wait = start(queue("wait", "a"), options, "null");
        own.push(wait);
        await pause(BEGIN_MS);
        const before = cpuOf(wait.pid);
        const beside = await rate();
        const cpu = ((cpuOf(wait.pid) - before) * 100_000) / SPAN_MS;
        const mb = mbOf(wait.pid);
        end(wait);
        const last = await rate();
        return {
          [NAMES.with]: beside,
          [NAMES.alone]: (first + last) / 2,
          [NAMES.cpu]: cpu,
          [NAMES.memory]: mb - emptyMb,
        };
      } finally {
        for (const child of own) end(child);
        await Promise.all([reading.catch(() => {}), ...own.map(({ status }) => status)]);
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

function start([program = "", ...args]: readonly string[], options: Options, stdout: "piped" | "null") {
  return new Deno.Command(program, { ...options, args, stdin: "null", stdout, stderr: "null" }).spawn();
}

/** The memory of a program after a second. */
async function memoryOf(command: readonly string[], options: Options): Promise<number> {
  const child = start(command, options, "null");
  await pause(1_000);
  const mb = mbOf(child.pid);
  await child.status;
  return mb;
}

/** Its own memory: pages of the executable's file are shared by all processes of it. */
function mbOf(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? NaN) / 1024;
}

/** Processor time, in seconds. */
function cpuOf(pid: number): number {
  // The program's name, in brackets, may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch { /* it has ended */ }
}
