/**
 * What a job asks of the system: calls, forks and execs on its host, writes and syncs of the journal by the manager.
 * Two runs on localhost under strace, of which one has more jobs; what those add is told for each job. Beside it the
 * floor, likewise.
 *
 * @module
 */

import { installNeeded } from "../../test/install.ts";
import type { Bench, Plan, Setting } from "../bench.ts";
import { floorCommand } from "../contenders/floor.ts";
import { sharedContenders } from "../contenders/shared.ts";
import { outputOf } from "../program.ts";
import { type Calls, type CallsByProcess, tracedCalls } from "../traces.ts";

const FEW = 50;
const MORE = 200;
/** What is in flight for so long is asked about, and that is no call of the job. */
const ASKED_AFTER_MS = 30_000;
const SLOTS = 4;
const JOURNAL = ".a-queue.journal";
const NAMES = [
  "calls of a job and its wrapper",
  "of these forks",
  "of these execs",
  "calls of a job of the floor",
  "writes of the journal, 1,000 jobs",
  "syncs of the journal, 1,000 jobs",
] as const;

/** See the module. */
export const calls: Bench = {
  name: "calls",
  about: "system calls, forks and execs of a job of `true` on its host, writes and syncs of the journal (strace)",
  measure: "figure",
  rounds: 1,
  warmUp: false,
  open,
};

async function open(setting: Setting): Promise<Plan> {
  await installNeeded(() => {}, { strace: "strace" });
  const more = setting.jobs ?? MORE;
  const work = async (round: number) => {
    const [few, many] = [await run(setting, FEW, round), await run(setting, FEW + more, round)];
    const floor = [await runFloor(setting, FEW, round), await runFloor(setting, FEW + more, round)] as const;
    const each = (of: keyof Calls, part: keyof CallsByProcess) => (many[part][of] - few[part][of]) / more;
    return {
      "calls of a job and its wrapper": each("all", "others"),
      "of these forks": each("forks", "others"),
      "of these execs": each("execs", "others"),
      "calls of a job of the floor": (floor[1] - floor[0]) / more,
      "writes of the journal, 1,000 jobs": each("writes", "own") * 1000,
      "syncs of the journal, 1,000 jobs": each("syncs", "own") * 1000,
    };
  };
  return {
    work: `${more} jobs of \`true\` (sh) more, on localhost with ${SLOTS} slots, each call traced`,
    contenders: sharedContenders(NAMES, work),
    questions: [{ of: NAMES[0], to: null, mark: { atMost: 120 } }],
  };
}

/**
 * Of the manager and its threads (`own`), the agent (its child), and of wrappers and jobs. Of the agent no figure is
 * made: under strace all is so slow that backlogs end, and an agent that recalls jobs reads claims byte by byte.
 */
async function run({ program, directory }: Setting, jobs: number, round: number): Promise<CallsByProcess> {
  const experiment = `calls-${jobs}-${round}`;
  const queue = (...words: string[]) => [...program, "queue", ...words, `--experiment=${experiment}`];
  await outputOf(queue("create", "a"), { cwd: directory });
  await outputOf(queue("add", "a", `--name=job[1-${jobs}]`, "--command=true", "--shell=sh"), { cwd: directory });
  const hosts = Array(SLOTS).fill("localhost").join(",");
  const begin = performance.now();
  const counted = await tracedCalls(queue("run", "fifo_multi", "a", `--hosts=${hosts}`), {
    cwd: directory,
    to: `${directory}/${experiment}-trace`,
    file: JOURNAL,
  });
  if (performance.now() - begin < ASKED_AFTER_MS) return counted;
  throw new Error(`Cannot use the run: ${jobs} jobs took 30 s and more under strace; take fewer (--jobs)`);
}

async function runFloor({ directory }: Setting, jobs: number, round: number): Promise<number> {
  const place = `${directory}/calls-floor-${jobs}-${round}`;
  await Deno.mkdir(place);
  const command = floorCommand(place, { jobs, slots: SLOTS, shell: "sh", command: "true" });
  const { own, children, others } = await tracedCalls(command, { cwd: directory, to: `${place}-trace`, file: JOURNAL });
  return own.all + children.all + others.all;
}
