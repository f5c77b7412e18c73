/**
 * What each command costs before it does anything: the program's start against that of a runtime with nothing to run,
 * and against other executables of it.
 *
 * @module
 */

import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";

const JOBS = 100;

/** See the module. */
export const start: Bench = {
  name: "start",
  about: "`cms queue list` of 100 jobs and `cms --version`, against `deno run` of an empty file, and --beside",
  measure: "ms",
  rounds: 20,
  open,
};

async function open({ program, beside, directory }: Setting): Promise<Plan> {
  const empty = `${directory}/empty.ts`;
  await Deno.writeTextFile(empty, "");
  const options = { cwd: directory };
  await outputOf([...program, "queue", "create", "a"], options);
  await outputOf([...program, "queue", "add", "a", `--name=job[1-${JOBS}]`, "--command=true"], options);
  const contender = (name: string, command: readonly string[]): Contender => ({
    name,
    amount: 1,
    run: () => timeOf(command, options),
  });
  const [list, version, floor] = ["cms queue list", "cms --version", "deno run, empty file"];
  const verbs = [[list, ["queue", "list", "a"]], [version, ["--version"]]] as const;
  return {
    work: `start and end of a process; a queue of ${JOBS} jobs`,
    contenders: [
      ...verbs.map(([name, words]) => contender(name, [...program, ...words])),
      contender(floor, [Deno.execPath(), "run", "-A", empty]),
      ...beside.flatMap((path) => verbs.map(([name, words]) => contender(`${name}, ${path}`, [path, ...words]))),
    ],
    questions: [
      { of: list, to: null, mark: { below: 100 } },
      ...verbs.flatMap(([name]) => [
        { of: name, to: floor, mark: null },
        ...beside.flatMap((path) => [
          { of: `${name}, ${path}`, to: floor, mark: null },
          { of: name, to: `${name}, ${path}`, mark: { atMost: 1.05 } },
        ]),
      ]),
    ],
  };
}
