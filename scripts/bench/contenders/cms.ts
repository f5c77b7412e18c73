/**
 * The program under test.
 *
 * @module
 */

import type { Contender } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";
import { countEnded, type Rig, withNewDisks } from "../rig.ts";

/** What a run of the program does. */
export interface CmsWork {
  /** Name in the table. */
  readonly name: string;
  /** What its figures count; see `Contender`. */
  readonly amount: number;
  /** How many jobs. */
  readonly jobs: number;
  /** The command of each. */
  readonly command: string;
  /** `--shell`; null: the default. */
  readonly shell: string | null;
  /** `--hosts`. */
  readonly hosts: string;
}

/**
 * `cms queue run fifo_multi`, from the start of the process to its end. Making the queue is not in the time.
 * @param setting `program`: how it is called; `directory`: for the manager's files.
 */
export function cmsContender(
  rig: Rig,
  { program, directory }: { program: readonly string[]; directory: string },
  work: CmsWork,
): Contender {
  const id = work.name.replaceAll(/[^a-z0-9]+/g, "-");
  const run = async (round: number): Promise<number> => {
    const experiment = `${id}-${round}`;
    // Stays until the end: removing it now would slow down whoever comes next on this disk.
    const options = { cwd: directory, env: { CMS_SSH: rig.ssh.join(" ") } };
    const queue = (...args: string[]) => [...program, "queue", ...args, `--experiment=${experiment}`];
    await outputOf(queue("create", "a"), options);
    const add = ["add", "a", `--name=job[1-${work.jobs}]`, `--command=${work.command}`];
    await outputOf(queue(...add, ...(work.shell === null ? [] : [`--shell=${work.shell}`])), options);
    return await withNewDisks(rig.hosts, { name: experiment, jobs: work.jobs }, async () => {
      const ms = await timeOf(queue("run", "fifo_multi", "a", `--hosts=${work.hosts}`, "--timeout=1"), options);
      const onHosts = await countEnded(rig.hosts, experiment);
      const listed = JSON.parse(await outputOf(queue("list", "a", "--output=json"), options)) as { status: string }[];
      const inQueue = listed.filter(({ status }) => status === "end").length;
      if (onHosts === work.jobs && inQueue === work.jobs) return ms;
      throw new Error(
        `${work.name} did not do its work: of ${work.jobs} jobs ${onHosts} ended, ${inQueue} by the queue`,
      );
    });
  };
  return { name: work.name, amount: work.amount, run };
}
