/**
 * The program under test.
 *
 * @module
 */

import type { Contender, Setting } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";
import { countEnded, type Rig, spanOf, withNewDisks } from "../rig.ts";

/** What a run of the program does. */
export interface CmsWork {
  /** Names its experiments. */
  readonly name: string;
  /** How many jobs. */
  readonly jobs: number;
  /** The command of each. */
  readonly command: string;
  /** `--shell`; null: the default. */
  readonly shell: string | null;
  /** `--hosts`. */
  readonly hosts: string;
  /** Called when all jobs have ended, while their files are there. @param experiment Directory. */
  readonly inspect?: (experiment: string) => Promise<void>;
}

/** What a run took: the process from its start to its end, and from the first job's start to the last one's end. */
export interface CmsTimes {
  readonly ms: number;
  readonly spanMs: number;
}

type Program = Pick<Setting, "program" | "directory">;

/** {@link runCms} as a contender. `amount`: what its figures count, see `Contender`. */
export function cmsContender(rig: Rig, setting: Program, work: CmsWork & { readonly amount: number }): Contender {
  const { name, amount } = work;
  return { name, amount, run: async (round) => (await runCms(rig, setting, work, round)).ms };
}

/**
 * `cms queue run fifo_multi`. Making the queue is not in the time.
 * @param program How it is called; `directory`: for the manager's files.
 * @throws {Error} If a job did not end.
 */
export async function runCms(
  rig: Rig,
  { program, directory }: Program,
  work: CmsWork,
  round: number,
): Promise<CmsTimes> {
  const experiment = `${work.name.replaceAll(/[^a-z0-9]+/g, "-")}-${round}`;
  // Stays until the end: removing it now would slow down whoever comes next on this disk.
  const options = { cwd: directory, env: { CMS_SSH: rig.ssh.join(" ") } };
  const queue = (...args: string[]) => [...program, "queue", ...args, `--experiment=${experiment}`];
  await outputOf(queue("create", "a"), options);
  const add = ["add", "a", `--name=job[1-${work.jobs}]`, `--command=${work.command}`];
  await outputOf(queue(...add, ...(work.shell === null ? [] : [`--shell=${work.shell}`])), options);
  return await withNewDisks(rig.hosts, { name: experiment, jobs: work.jobs }, async () => {
    const ms = await timeOf(queue("run", "fifo_multi", "a", `--hosts=${work.hosts}`, "--timeout=1"), options);
    const onHosts = await countEnded(rig.hosts, experiment);
    const spanMs = await spanOf(rig.hosts, experiment);
    const listed = JSON.parse(await outputOf(queue("list", "a", "--output=json"), options)) as { status: string }[];
    const inQueue = listed.filter(({ status }) => status === "end").length;
    if (onHosts === work.jobs && inQueue === work.jobs) {
      await work.inspect?.(experiment);
      return { ms, spanMs };
    }
    throw new Error(`${work.name} did not do its work: of ${work.jobs} jobs ${onHosts} ended, ${inQueue} by the queue`);
  });
}
