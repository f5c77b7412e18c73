/**
 * What the size of a queue costs: adding many jobs at once, adding one to many, and listing them.
 *
 * @module
 */

import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";

const SIZES = [1, 1000, 100_000];

/** See the module. */
export const store: Bench = {
  name: "store",
  about: "add 1, 1,000 and 100,000 jobs to a new queue, one job to a queue of that size, and list it",
  measure: "ms",
  rounds: 3,
  open,
};

async function open(setting: Setting): Promise<Plan> {
  const sizes = SIZES.filter((size) => size <= (setting.jobs ?? Infinity));
  const contenders: Contender[] = [];
  for (const size of sizes) contenders.push(...await ofSize(setting, size));
  const [smallest, largest] = [sizes[0]!, sizes.at(-1)!].map(text);
  return {
    work: "one command on a queue",
    contenders,
    // The mark of a journal: what one job more costs must not grow with the queue as the queue does.
    questions: smallest === largest ? [] : [{ of: `add 1 to ${largest}`, to: `add ${largest}`, mark: null }, {
      of: `list ${largest}`,
      to: `list ${smallest}`,
      mark: null,
    }],
  };
}

async function ofSize({ program, directory }: Setting, size: number): Promise<Contender[]> {
  const options = { cwd: directory };
  const queue = (...args: string[]) => [...program, "queue", ...args];
  const add = (experiment: string, name: string) =>
    queue("add", "a", `--experiment=${experiment}`, `--name=${name}`, "--command=true");
  const filled = async (experiment: string) => {
    await outputOf(queue("create", "a", `--experiment=${experiment}`), options);
    return add(experiment, `job[1-${size}]`);
  };
  const standing = `standing-${size}`;
  await outputOf(await filled(standing), options);
  return [
    {
      name: `add ${text(size)}`,
      amount: 1,
      run: async (round) => await timeOf(await filled(`new-${size}-${round}`), options),
    },
    {
      name: `add 1 to ${text(size)}`,
      amount: 1,
      run: (round) => timeOf(add(standing, `more${round}`), options),
    },
    {
      name: `list ${text(size)}`,
      amount: 1,
      run: () => timeOf(queue("list", "a", `--experiment=${standing}`), options),
    },
  ];
}

function text(count: number): string {
  return count.toLocaleString("en-US");
}
