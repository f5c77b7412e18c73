/**
 * The dashboard of a large queue under a run at full speed: what it takes in the browser, and what it takes from others
 * who ask the service, and from the run.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { pageLife } from "../contenders/page_life.ts";
import { startServer } from "../contenders/server.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { CountedRun, cpuOf } from "../processes.ts";
import { outputOf } from "../program.ts";
import { openRig, withNewDisks } from "../rig.ts";

const SLOTS = 4;
/** Others ask this often; one request after the other. */
const ASK_EVERY_MS = 50;
/** The time without the page, before it and after it: this part of its life each. */
const PART_WITHOUT = 0.2;

/** An answer may always take three times this at the 95th percentile: nobody notices. */
const QUICK_MS = 10;

const names = {
  first: "ms from the login to the first rows",
  scripting: "s of scripts in the browser for each second",
  heap: "MB of the browser's heap, at most",
  median: "ms an answer takes, median, beside the page",
  slow: "ms an answer takes, 95th percentile, beside the page",
  medianWithout: "ms an answer takes, median, without",
  slowWithout: "ms an answer takes, 95th percentile, without",
  slowLeast: `ms an answer takes, 95th percentile, without, or ${QUICK_MS} if that is more`,
  cpu: "s of the service's processor time for each second, beside the page",
  cpuWithout: "s of the service's processor time for each second, without",
  rate: "jobs/s beside the page",
  rateWithout: "jobs/s without",
} as const;
type Figures = Record<typeof names[keyof typeof names], number>;

/** See the module. */
export const dashboard: Bench = {
  name: "dashboard",
  about: "five minutes of the dashboard of a queue of 100,000 jobs under a run, against the same run without it",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 100_000;
  const seconds = setting.seconds ?? 300;
  const { directory, program, say } = setting;
  const rig = await openRig(["red"], directory, stack);
  const env = { CMS_SSH: rig.ssh.join(" ") };
  await Deno.writeTextFile(`${directory}/credentials`, "bench:bench\n", { mode: 0o600 });
  const work = async (round: number): Promise<Figures> => {
    await using own = new AsyncDisposableStack();
    const served = `${directory}/${round}`;
    await Deno.mkdir(`${served}/experiment`, { recursive: true });
    const options = { cwd: served, env };
    const queue = (...words: string[]) => [...program, "queue", ...words];
    await outputOf([...program, "cluster", "create", "lab"], options);
    const host = ["--id=red", "--name=red", "--user=pi", `--max-jobs-allowed=${SLOTS}`];
    await outputOf([...program, "cluster", "add", "lab", ...host], options);
    await outputOf(queue("create", "a"), options);
    await outputOf(queue("add", "a", `--name=job[1-${jobs}]`, "--command=true", "--shell=sh"), options);
    const start = ["--service", "start", "--port=0", `--credentials=${directory}/credentials`, "--log=none"];
    const { pid, port } = await startServer(queue(...start), served, own, env);
    return await withNewDisks(rig.hosts, { name: "experiment", jobs }, async () => {
      const run = new CountedRun(queue("run", "fifo_multi", "a", "--hostfile=lab"), options);
      try {
        await run.begun;
        const before = await others({ pid, port }, run, PART_WITHOUT * seconds * 1000);
        const ending = new AbortController();
        // The browser's own begin is no matter of the page.
        const opened = Promise.withResolvers<void>();
        const beside = opened.promise.then(() => others({ pid, port }, run, null, ending.signal));
        const url = `http://127.0.0.1:${port}`;
        const end = (): void => {
          ending.abort();
          opened.resolve();
        };
        const signs = { onOpen: opened.resolve, onDone: end };
        const life = await pageLife({ url, user: "bench", password: "bench", seconds, say, ...signs }).finally(end);
        const page = await beside;
        const after = await others({ pid, port }, run, PART_WITHOUT * seconds * 1000);
        if (run.hasEnded) throw new Error("The run has ended before the page: take more jobs (--jobs)");
        const waits = [...before.waits, ...after.waits];
        return {
          [names.first]: life.firstViewMs,
          [names.scripting]: life.scripting,
          [names.heap]: life.heapMb,
          [names.median]: quantile(page.waits, 0.5),
          [names.slow]: quantile(page.waits, 0.95),
          [names.medianWithout]: quantile(waits, 0.5),
          [names.slowWithout]: quantile(waits, 0.95),
          [names.slowLeast]: Math.max(QUICK_MS, quantile(waits, 0.95)),
          [names.cpu]: page.cpu,
          [names.cpuWithout]: (before.cpu + after.cpu) / 2,
          [names.rate]: page.rate,
          [names.rateWithout]: (before.rate + after.rate) / 2,
        };
      } finally {
        await run.end();
      }
    });
  };
  return {
    work: `${seconds} s of the page of a queue of ${
      jobs.toLocaleString("en-US")
    } jobs of \`true\` (sh), which run on one ssh host with ${SLOTS} slots; others ask the service ${
      1000 / ASK_EVERY_MS
    } times a second`,
    contenders: sharedContenders(Object.values(names), work),
    questions: [
      { of: names.first, to: null, mark: { below: 1500 } },
      { of: names.scripting, to: null, mark: { below: 0.1 } },
      { of: names.heap, to: null, mark: { below: 80 } },
      { of: names.median, to: names.medianWithout, mark: { atMost: 1.5 } },
      { of: names.slow, to: names.slowLeast, mark: { atMost: 3 } },
      { of: names.cpu, to: null, mark: { below: 0.3 } },
      { of: names.cpuWithout, to: null, mark: null },
      { of: names.rate, to: names.rateWithout, mark: { atLeast: 0.9 } },
    ],
  };
}

/** Asks the service as programs do, for a while or until `signal` aborts. */
async function others(
  { pid, port }: { pid: number; port: number },
  run: CountedRun,
  forMs: number | null,
  signal?: AbortSignal,
): Promise<{ waits: number[]; rate: number; cpu: number }> {
  const waits: number[] = [];
  const [beginMs, starts, cpuS] = [performance.now(), run.starts, cpuOf(pid)];
  const headers = { authorization: `Basic ${btoa("bench:bench")}`, accept: "application/json" };
  while (signal?.aborted !== true && (forMs === null || performance.now() < beginMs + forMs)) {
    const askedMs = performance.now();
    const reply = await fetch(`http://127.0.0.1:${port}/cluster/lab`, { headers });
    await reply.body?.cancel();
    if (!reply.ok) throw new Error(`The service does not answer: ${reply.status}`);
    waits.push(performance.now() - askedMs);
    await new Promise((go) => setTimeout(go, ASK_EVERY_MS));
  }
  const seconds = (performance.now() - beginMs) / 1000;
  return { waits, rate: (run.starts - starts) / seconds, cpu: (cpuOf(pid) - cpuS) / seconds };
}

function quantile(values: number[], part: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * part))] ?? NaN;
}
