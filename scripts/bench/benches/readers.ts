/**
 * A run of a large queue on which many look all the time: what they take from it beside processor time, and how long
 * whoever writes waits.
 *
 * @module
 */

import { files } from "../../../src/files_real.ts";
import type { Bench, Plan, Setting } from "../bench.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { outputOf } from "../program.ts";

const OTHERS = 20;
/** How long the starts are counted. */
const SPAN_MS = 30_000;
const WRITE_EVERY_MS = 100;
const MARK = /Starting job: /g;

/** See the module. */
export const readers: Bench = {
  name: "readers",
  about:
    `a run of 100,000 jobs beside ${OTHERS} processes that list it without a pause, and beside ${OTHERS} that compute`,
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

function open(setting: Setting): Promise<Plan> {
  const jobs = setting.jobs ?? 100_000;
  const { directory, program } = setting;
  const names = {
    computing: `jobs/s beside ${OTHERS} that compute`,
    reading: `jobs/s beside ${OTHERS} readers`,
    computingWait: "ms a write waits, 99th percentile, beside those that compute",
    readingWait: "ms a write waits, 99th percentile, beside readers",
  };
  const beside = async (experiment: string, other: readonly string[]): Promise<{ rate: number; waitMs: number }> => {
    const queue = (...words: string[]) => [...program, "queue", ...words, `--experiment=${experiment}`];
    await outputOf(queue("create", "a"), { cwd: directory });
    await outputOf(queue("add", "a", `--name=job[1-${jobs}]`, "--command=true", "--shell=sh"), { cwd: directory });
    const run = start(queue("run", "fifo_multi", "a", `--hosts=${Array(4).fill("localhost").join(",")}`), directory);
    const others: Deno.ChildProcess[] = [];
    let starts = 0;
    const first = Promise.withResolvers<void>();
    const reading = (async () => {
      for await (const text of run.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)) {
        starts += text.match(MARK)?.length ?? 0;
        if (starts > 0) first.resolve();
      }
      first.resolve();
    })();
    try {
      await first.promise;
      for (let i = 0; i < OTHERS; i++) others.push(start(other, directory, "null"));
      const waits: number[] = [];
      const [beganMs, before] = [performance.now(), starts];
      while (performance.now() < beganMs + SPAN_MS) {
        const askedMs = performance.now();
        const lock = await files.lock(`${directory}/${experiment}/.a-queue.lock`, { mode: "exclusive", wait: true });
        waits.push(performance.now() - askedMs);
        lock?.release();
        await new Promise((go) => setTimeout(go, WRITE_EVERY_MS));
      }
      const rate = ((starts - before) * 1000) / (performance.now() - beganMs);
      waits.sort((a, b) => a - b);
      return { rate, waitMs: waits[Math.floor(waits.length * 0.99)]! };
    } finally {
      for (const child of [...others, run]) end(child);
      await Promise.all([reading.catch(() => {}), ...[...others, run].map(({ status }) => status)]);
    }
  };
  const work = async (round: number): Promise<Record<string, number>> => {
    const list = [...program, "queue", "list", "a", "--status=start", `--experiment=reading-${round}`];
    const loop = ["sh", "-c", 'while :; do "$@" >/dev/null 2>&1; done', "sh", ...list];
    const computing = await beside(`computing-${round}`, ["sh", "-c", "while :; do :; done"]);
    const reading = await beside(`reading-${round}`, loop);
    return {
      [names.computing]: computing.rate,
      [names.reading]: reading.rate,
      [names.computingWait]: computing.waitMs,
      [names.readingWait]: reading.waitMs,
    };
  };
  return Promise.resolve({
    work: `${SPAN_MS / 1000} s of a run of ${
      jobs.toLocaleString("en-US")
    } jobs of \`true\` (sh) on localhost with 4 slots`,
    contenders: sharedContenders(Object.values(names), work),
    questions: [
      { of: names.reading, to: names.computing, mark: { atLeast: 0.8 } },
      { of: names.readingWait, to: null, mark: { atMost: 200 } },
    ],
  });
}

function start([program = "", ...args]: readonly string[], cwd: string, stdout: "piped" | "null" = "piped") {
  return new Deno.Command(program, { args, cwd, stdin: "null", stdout, stderr: "null" }).spawn();
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch { /* it has ended */ }
}
