/**
 * What the size of a queue costs a command: adding many jobs at once, adding one to many, listing, asking what became
 * of three.
 *
 * @module
 */

import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { outputOf, timeOf, timeToFirstByte } from "../program.ts";
import { fliers } from "../fliers.ts";

const SIZES = [100, 1000, 100_000];

/** See the module. */
export const store: Bench = {
  name: "store",
  about: "add jobs to new queues and one to queues of 100 and 100,000, list them, refresh with three in flight",
  measure: "ms",
  rounds: 3,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const { program, directory } = setting;
  const fitting = SIZES.filter((size) => size <= (setting.jobs ?? Infinity));
  const sizes = fitting.length === 0 ? [setting.jobs ?? 1] : fitting;
  const options = { cwd: directory };
  const queue = (
    verb: string,
    experiment: string,
    ...args: string[]
  ) => [...program, "queue", verb, "a", `--experiment=${experiment}`, ...args];
  const add = (experiment: string, name: string) => queue("add", experiment, `--name=${name}`, "--command=true");
  const make = async (experiment: string) => void await outputOf(queue("create", experiment), options);
  const contender = (name: string, run: Contender["run"], amount = 1): Contender => ({ name, amount, run });

  const empty = `${directory}/empty.ts`;
  await Deno.writeTextFile(empty, "");
  const contenders = [contender(EMPTY, () => timeOf([Deno.execPath(), "run", empty], options))];
  for (const size of sizes) {
    const standing = `standing-${size}`;
    await make(standing);
    await outputOf(add(standing, `job[1-${size}]`), options);
    const first = (...args: string[]) => timeToFirstByte(queue("list", standing, ...args), options);
    contenders.push(
      contender(`add ${text(size)}, a job`, async (round) => {
        await make(`new-${size}-${round}`);
        return await timeOf(add(`new-${size}-${round}`, `job[1-${size}]`), options) / size;
      }),
      contender(`add 1 to ${text(size)}`, (round) => timeOf(add(standing, `more${round}`), options)),
      contender(`list ${text(size)}`, () => timeOf(queue("list", standing), options)),
      contender(`list ${text(size)}, first row`, () => first()),
      contender(`list ${text(size)} --limit=10, first row`, () => first("--limit=10")),
      contender(`list ${text(size)} --status=crash`, () => timeOf(queue("list", standing, "--status=crash"), options)),
    );
    if (size > 3) {
      const flying = `flying-${size}`;
      await make(flying);
      await fliers(setting, { experiment: flying, size, flying: 3 }, stack);
      contenders.push(contender(`refresh ${text(size)}, 3 in flight`, () => timeOf(queue("refresh", flying), options)));
    }
  }
  const [small, large] = [sizes[0]!, sizes.at(-1)!].map(text);
  const questions: Plan["questions"] = [
    { of: `list ${small}`, to: EMPTY, mark: { atMost: 2 } },
    { of: `list ${small}`, to: null, mark: { below: 100 } },
    ...(small === large ? [] : [
      { of: `add 1 to ${large}`, to: `add 1 to ${small}`, mark: { atMost: 2 } },
      { of: `add ${large}, a job`, to: `add ${text(sizes.at(-2)!)}, a job`, mark: { atMost: 1.2 } },
      { of: `list ${large} --limit=10, first row`, to: `list ${small} --limit=10, first row`, mark: null },
      { of: `refresh ${large}, 3 in flight`, to: `refresh ${small}, 3 in flight`, mark: null },
    ]),
  ];
  return { work: "one command on a queue", contenders, questions };
}

const EMPTY = "deno run, empty file";

function text(count: number): string {
  return count.toLocaleString("en-US");
}
