/**
 * What jobs from few words cost: 100,000 of a sweep against as many of a plain list, and jobs that a program adds one
 * after another.
 *
 * @module
 */

import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";

const PLAIN = "plain list";
const SWEEP = "sweep of two parameters";
const LINES = "a line for each job";
const STREAM = "queue add --stdin";
/** Of the plain list. */
const FIRST = 100_001;

/** See the module. */
export const sweeps: Bench = {
  name: "sweeps",
  about: "100,000 jobs in one call: a plain list, a sweep, lines of a file; and by --stdin, each answered",
  measure: "jobs/s",
  rounds: 3,
  open,
};

async function open({ program, directory, ...setting }: Setting): Promise<Plan> {
  const jobs = Math.min(setting.jobs ?? 100_000, 100_000);
  const side = Math.floor(Math.sqrt(jobs));
  const amount = side * side;
  const each = <T>(make: (i: number) => T): T[] => Array.from({ length: amount }, (_, i) => make(i));
  await Deno.writeTextFile(`${directory}/lines`, each((i) => `${i}\n`).join(""));
  await Deno.writeTextFile(
    `${directory}/jobs.jsonl`,
    each((i) => `${JSON.stringify({ name: `job${i}`, command: `echo ${i}` })}\n`).join(""),
  );
  let count = 0;
  const add = (name: string, ...words: string[]): Contender => ({
    name,
    amount,
    run: async () => {
      const queue = [`q${++count}`, `--experiment=e${count}`];
      await outputOf([...program, "queue", "create", ...queue], { cwd: directory });
      const command = [...program, "queue", "add", ...queue, ...words];
      if (!words.includes("--stdin")) return await timeOf(command, { cwd: directory });
      return await timeOf(["sh", "-c", 'exec "$@" <jobs.jsonl', "sh", ...command], { cwd: directory });
    },
  });
  return {
    work: `${amount.toLocaleString("en-US")} jobs added to a new queue`,
    contenders: [
      // Names and commands as long as those of the sweep.
      add(PLAIN, `--name=job-[${FIRST}-${FIRST + amount - 1}]`, "--command=echo 100 100"),
      add(SWEEP, "--name=job-{a}-{b}", `--param=a=1-${side}`, `--param=b=1-${side}`, "--command=echo {a} {b}"),
      add(LINES, "--name=job-{}", "--each-line=lines", "--command=echo {}"),
      add(STREAM, "--stdin"),
    ],
    questions: [
      // At most 1.5 times the time.
      { of: SWEEP, to: PLAIN, mark: { atLeast: 1 / 1.5 } },
      { of: LINES, to: PLAIN, mark: { atLeast: 1 / 1.5 } },
      { of: STREAM, to: null, mark: { atLeast: 10_000 } },
    ],
  };
}
