/**
 * The largest queue that one is meant to be: 1,000,000 jobs, beside one of 100,000. They are added in one call, looked
 * at, one more is added, they are run for two minutes; the run is killed, begun again, and stopped, so that it writes
 * the file. What each step costs is told for each job of the queue, so that both sizes can be compared.
 *
 * @module
 */

import type { Bench, Plan, Question, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { peakOf, runFor } from "../processes.ts";
import { outputOf } from "../program.ts";
import { countEnded, openRig, THREE, withNewDisks } from "../rig.ts";

const SMALL = 100_000;
const LARGE = 1_000_000;
const SLOTS = 16;
const SECONDS = 120;
/** For so many of them there is room on each host. */
const MOST_RUN = 90_000;

/** See the module. */
export const million: Bench = {
  name: "million",
  about:
    "1,000,000 jobs beside 100,000: add in one call, list --limit, one more, status, a run for two minutes (--seconds), kill -9, the run again and its end",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

const STEPS = [
  "us a job: add all in one call",
  "us of processor time a job: add all in one call",
  "ns a job: list --limit=10",
  "ns a job: add one more",
  "ns a job: status",
  "us a job: from the run's begin to its first start",
  "us of processor time a job: from the run's begin to its first start",
  "us of the run's processor time, from then on, for each job that it started",
  "us a job: from the run's begin, after kill -9, to its first start",
  "ns a job: status beside the run",
] as const;
const RATES = ["jobs/s", "jobs/s, first tenth of the time", "jobs/s, last tenth of the time"] as const;
const PEAKS = [
  "MB at most: add all",
  "MB at most: add one more",
  "MB at most: the run",
  "MB at most: the run again, and its end",
] as const;
type Figure = typeof STEPS[number] | typeof RATES[number] | typeof PEAKS[number];

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const large = setting.jobs ?? LARGE;
  const sizes = [Math.min(SMALL, Math.ceil(large / 10)), large];
  const rig = await openRig(THREE, setting.directory, stack);
  const work = async (round: number): Promise<Record<string, number>> => {
    const figures: Record<string, number> = {};
    for (const size of sizes) {
      const experiment = `million-${size}-${round}`;
      const disks = { name: experiment, jobs: Math.min(size, MOST_RUN) };
      const measured = await withNewDisks(rig.hosts, disks, () => measure(setting, rig, { experiment, size }));
      for (const [figure, value] of Object.entries(measured)) figures[titleOf(figure as Figure, size)] = value;
    }
    return figures;
  };
  const [few, many] = sizes as [number, number];
  const of = (figure: Figure, mark: Question["mark"], to: string | null = null): Question => ({
    of: titleOf(figure, many),
    to,
    mark,
  });
  const [, first, last] = RATES;
  return {
    work: `${text(many)} jobs of \`true\` (sh) beside ${text(few)}, on three ssh hosts with ${SLOTS} slots each`,
    contenders: sharedContenders(
      sizes.flatMap((size) => [...STEPS, ...RATES, ...PEAKS].map((figure) => titleOf(figure, size))),
      work,
    ),
    questions: [
      ...STEPS.map((step) => of(step, { atMost: 1.2 }, titleOf(step, few))),
      of(last, { atLeast: 0.9 }, titleOf(first, many)),
      ...PEAKS.map((peak) => of(peak, { below: 1_500 })),
    ],
  };
}

function titleOf(figure: Figure, size: number): string {
  return `${figure} (${text(size)})`;
}

function text(count: number): string {
  return count.toLocaleString("en-US");
}

/** All steps with one queue. */
async function measure(
  { program, directory, seconds }: Setting,
  rig: Awaited<ReturnType<typeof openRig>>,
  { experiment, size }: { experiment: string; size: number },
): Promise<Record<Figure, number>> {
  const options = { cwd: directory, env: { CMS_SSH: rig.ssh.join(" ") } };
  const queue = (...words: string[]) => [...program, "queue", ...words, `--experiment=${experiment}`];
  await outputOf(queue("create", "a"), options);
  const job = ["--command=true", "--shell=sh"];
  const add = await peakOf(queue("add", "a", `--name=job[1-${size}]`, ...job, "--yes"), options);
  // Once to warm up: so the file is in memory, as that of a queue that is in use.
  const quick = async (...words: string[]) => {
    await peakOf(queue(...words), options);
    return await peakOf(queue(...words), options);
  };
  const list = await quick("list", "a", "--limit=10");
  const more = await quick("add", "a", "--name=more", ...job);
  const status = await quick("status", "a");
  const hosts = Array(SLOTS).fill(THREE.map((name) => `pi@${name}`)).flat().join(",");
  const command = queue("run", "fifo_multi", "a", `--hosts=${hosts}`);
  // The small queue is not to be through by then.
  const spanMs = Math.min(seconds ?? SECONDS, Math.ceil(((seconds ?? SECONDS) * size) / (2 * SMALL))) * 1000;
  const run = await runFor(command, options, { spanMs, beside: () => quick("status", "a") });
  const again = await runFor(command, options, {
    spanMs: spanMs / 10,
    beside: () => quick("status", "a"),
    stops: true,
  });
  const ended = await countEnded(rig.hosts, experiment);
  const told = run.starts + again.starts;
  if (ended < told * 0.9 || ended > size + 1) throw new Error(`The runs told of ${told} starts, and ${ended} ended`);
  const each = (ms: number, unit: 1_000 | 1_000_000) => (ms * unit) / size;
  return {
    "us a job: add all in one call": each(add.ms, 1_000),
    "us of processor time a job: add all in one call": each(add.cpuS, 1_000_000),
    "ns a job: list --limit=10": each(list.ms, 1_000_000),
    "ns a job: add one more": each(more.ms, 1_000_000),
    "ns a job: status": each(status.ms, 1_000_000),
    "us a job: from the run's begin to its first start": each(run.firstMs, 1_000),
    "us of processor time a job: from the run's begin to its first start": each(run.firstCpuS, 1_000_000),
    "us of the run's processor time, from then on, for each job that it started": (run.cpuS * 1e6) / run.starts,
    "us a job: from the run's begin, after kill -9, to its first start": each(again.firstMs, 1_000),
    "ns a job: status beside the run": each(run.beside.ms, 1_000_000),
    "jobs/s": run.rate(0, 1),
    "jobs/s, first tenth of the time": run.rate(0, 0.1),
    "jobs/s, last tenth of the time": run.rate(0.9, 1),
    "MB at most: add all": add.peakMb,
    "MB at most: add one more": more.peakMb,
    "MB at most: the run": run.peakMb,
    "MB at most: the run again, and its end": again.peakMb,
  };
}
