/**
 * What the size of a queue costs who looks at it: `status`, `show` and `explain`, of a queue with changes that its file
 * does not have yet.
 *
 * @module
 */

import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";

const SMALL = 100;
const LARGE = 100_000;
const LOOKS: readonly (readonly [title: string, verb: string, job: string])[] = [
  ["status", "status", ""],
  ["show JOB", "show", "job77"],
  ["show the last JOB", "show", "last"],
  ["explain", "explain", ""],
  ["explain JOB", "explain", "job77"],
];

/** See the module. */
export const looks: Bench = {
  name: "looks",
  about: "status, show and explain of queues of 100 and 100,000 jobs",
  measure: "ms",
  rounds: 9,
  open,
};

async function open(setting: Setting): Promise<Plan> {
  const { program, directory } = setting;
  const sizes = [SMALL, Math.max(SMALL + 1, setting.jobs ?? LARGE)];
  const queue = (
    verb: string,
    size: number,
    ...args: string[]
  ) => [...program, "queue", verb, "a", ...args, `--experiment=queue-${size}`];
  const contenders: Contender[] = [];
  for (const size of sizes) {
    const does = (verb: string, ...args: string[]) => outputOf(queue(verb, size, ...args), { cwd: directory });
    await does("create");
    await does("add", `--name=job[1-${size}]`, "--command=true");
    await does("add", "--name=last", "--command=true");
    await does("hold", "--name=job7");
    for (const [title, verb, job] of LOOKS) {
      const words = job === "" ? [] : [job];
      const run = () => timeOf(queue(verb, size, ...words), { cwd: directory });
      contenders.push({ name: `${title} of ${text(size)}`, amount: 1, run });
    }
  }
  const [small, large] = sizes.map(text);
  const questions = LOOKS.map(([title]) => ({
    of: `${title} of ${large}`,
    to: `${title} of ${small}`,
    mark: { atMost: 3 },
  }));
  return { work: "one look at a queue", contenders, questions };
}

function text(count: number): string {
  return count.toLocaleString("en-US");
}
