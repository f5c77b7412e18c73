/**
 * A run of a large queue on which many look all the time: what they take from it beside processor time, and how long
 * whoever writes waits.
 *
 * @module
 */

import { files } from "../../../src/files_real.ts";
import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { CountedRun, end, start } from "../processes.ts";
import { outputOf } from "../program.ts";
import { openRig, withNewDisks } from "../rig.ts";
import { percentile } from "../statistics.ts";

const OTHERS = 20;
/** How long the starts are counted. */
const SPAN_MS = 30_000;
const WRITE_EVERY_MS = 100;
const SLOTS = 4;

/** What the others do: a loop that only computes, a list of a queue that nothing runs, a list of the run's queue. */
const KINDS = ["that compute", "readers of a copy", "readers"] as const;
type Kind = typeof KINDS[number];
interface Measured {
  readonly rate: number;
  readonly waitMs: number;
}

/** See the module. */
export const readers: Bench = {
  name: "readers",
  about:
    `a run of 100,000 jobs beside ${OTHERS} processes that list it without a pause, beside ${OTHERS} that list a copy of it, and beside ${OTHERS} that compute`,
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

const rateBeside = (kind: Kind): string => `jobs/s beside ${OTHERS} ${kind}`;
const waitBeside = (kind: Kind): string => `ms a write waits, 99th percentile, beside ${OTHERS} ${kind}`;

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 100_000;
  const { directory, program } = setting;
  const rig = await openRig(["red"], directory, stack);
  const options = { cwd: directory, env: { CMS_SSH: rig.ssh.join(" ") } };
  const hosts = Array(SLOTS).fill("pi@red").join(",");
  const queue = (
    experiment: string,
    ...words: string[]
  ) => [...program, "queue", ...words, `--experiment=${experiment}`];
  const make = async (experiment: string, name: string): Promise<void> => {
    await outputOf(queue(experiment, "create", name), options);
    await outputOf(queue(experiment, "add", name, `--name=job[1-${jobs}]`, "--command=true", "--shell=sh"), options);
  };
  const measure = async (experiment: string, other: readonly string[]): Promise<Measured> => {
    await make(experiment, "a");
    return await withNewDisks(rig.hosts, { name: experiment, jobs }, async () => {
      const run = new CountedRun(queue(experiment, "run", "fifo_multi", "a", `--hosts=${hosts}`), options);
      return await besideOthers(run, Array(OTHERS).fill(other), `${directory}/${experiment}/.a-queue.lock`, options);
    });
  };
  const work = async (round: number): Promise<Record<string, number>> => {
    const list = (experiment: string): string[] => {
      const words = queue(experiment, "list", "a", "--status=start");
      return ["sh", "-c", 'while :; do "$@" >/dev/null 2>&1; done', "sh", ...words];
    };
    await make(`copy-${round}`, "a");
    const others: Record<Kind, string[]> = {
      "that compute": ["sh", "-c", "while :; do :; done"],
      "readers of a copy": list(`copy-${round}`),
      readers: list(`readers-${round}`),
    };
    const figures: Record<string, number> = {};
    for (const kind of KINDS) {
      const { rate, waitMs } = await measure(`${kind.replaceAll(" ", "_")}-${round}`, others[kind]);
      figures[rateBeside(kind)] = rate;
      figures[waitBeside(kind)] = waitMs;
    }
    return figures;
  };
  return {
    work: `${SPAN_MS / 1000} s of a run of ${
      jobs.toLocaleString("en-US")
    } jobs of \`true\` (sh) on one ssh host with ${SLOTS} slots`,
    contenders: sharedContenders(KINDS.flatMap((kind) => [rateBeside(kind), waitBeside(kind)]), work),
    questions: [
      { of: rateBeside("readers"), to: rateBeside("readers of a copy"), mark: { atLeast: 0.8 } },
      { of: rateBeside("readers"), to: rateBeside("that compute"), mark: { atLeast: 0.8 } },
      { of: waitBeside("readers"), to: null, mark: { atMost: 200 } },
    ],
  };
}

/** The run's rate, and the waits for its queue's lock, while the others are at work. All are ended afterwards. */
async function besideOthers(
  run: CountedRun,
  commands: readonly (readonly string[])[],
  lockFile: string,
  options: Options,
): Promise<Measured> {
  const others: Deno.ChildProcess[] = [];
  try {
    await run.begun;
    for (const command of commands) others.push(start(command, options, "null"));
    const waits: number[] = [];
    const [beganMs, before] = [performance.now(), run.starts];
    while (performance.now() < beganMs + SPAN_MS) {
      const askedMs = performance.now();
      const lock = await files.lock(lockFile, { mode: "exclusive", wait: true });
      waits.push(performance.now() - askedMs);
      lock?.release();
      await new Promise((go) => setTimeout(go, WRITE_EVERY_MS));
    }
    const rate = ((run.starts - before) * 1000) / (performance.now() - beganMs);
    return { rate, waitMs: percentile(waits, 0.99) };
  } finally {
    for (const child of others) end(child);
    await Promise.all([run.end(), ...others.map(({ status }) => status)]);
  }
}

interface Options {
  readonly cwd: string;
  readonly env: Record<string, string>;
}
