/**
 * What each command costs before it does anything: the program's start against that of a runtime with nothing to run.
 *
 * @module
 */

import type { Bench, Contender, Plan, Setting } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";

const SMALL = 10;

/** See the module. */
export const start: Bench = {
  name: "start",
  about: "`cms queue list` on a small queue, against `deno run` of an empty file",
  measure: "ms",
  rounds: 20,
  open,
};

async function open({ program, directory }: Setting): Promise<Plan> {
  const empty = `${directory}/empty.ts`;
  await Deno.writeTextFile(empty, "");
  const options = { cwd: directory };
  await outputOf([...program, "queue", "create", "a"], options);
  await outputOf([...program, "queue", "add", "a", `--name=job[1-${SMALL}]`, "--command=true"], options);
  const contender = (name: string, command: readonly string[]): Contender => ({
    name,
    amount: 1,
    run: () => timeOf(command, options),
  });
  const [list, version, floor] = ["cms queue list", "cms --version", "deno run, empty file"];
  return {
    work: `start and end of a process; a queue of ${SMALL} jobs`,
    contenders: [
      contender(list, [...program, "queue", "list", "a"]),
      contender(version, [...program, "--version"]),
      contender(floor, [Deno.execPath(), "run", "-A", empty]),
    ],
    questions: [
      { of: list, to: null, mark: { below: 100 } },
      { of: list, to: floor, mark: null },
      { of: version, to: floor, mark: null },
    ],
  };
}
