/**
 * The floor: a bare shell loop on the host that makes the same files (`floor.sh`), through one ssh.
 *
 * @module
 */

import type { Contender } from "../bench.ts";
import { timeOf } from "../program.ts";
import { countEnded, type Rig, spanOf, withNewDisks } from "../rig.ts";
import type { CmsTimes } from "./cms.ts";

/** What the loop does. */
export interface FloorWork {
  /** Names its directories. */
  readonly name: string;
  readonly jobs: number;
  readonly slots: number;
  /** Of the jobs' scripts; the loop itself runs in `sh`. */
  readonly shell: string;
  /** Of each job: words without quotes. */
  readonly command: string;
}

/** {@link runFloor} as a contender. */
export function floorContender(rig: Rig, work: FloorWork): Contender {
  return { name: work.name, amount: work.jobs, run: async (round) => (await runFloor(rig, work, round)).ms };
}

/**
 * A loop on the first host. @returns The same times as of a run of the program.
 * @throws {Error} If a job did not end.
 */
export async function runFloor(rig: Rig, work: FloorWork, round: number): Promise<CmsTimes> {
  const hosts = rig.hosts.slice(0, 1);
  const [host] = hosts;
  const name = `${work.name.replaceAll(/[^a-z0-9]+/g, "-")}-${round}`;
  const script = await Deno.readTextFile(new URL("./floor.sh", import.meta.url));
  return await withNewDisks(hosts, { name, jobs: work.jobs }, async () => {
    const remote = `sh -c "$(cat)" sh ${name} ${work.jobs} ${work.slots} ${work.shell} '${work.command}'`;
    const ms = await timeOf([...rig.ssh, "-T", `${host!.user}@${host!.name}`, remote], { input: script });
    const ended = await countEnded(hosts, name);
    if (ended === work.jobs) return { ms, spanMs: await spanOf(hosts, name) };
    throw new Error(`${work.name} did not do its work: of ${work.jobs} jobs ${ended} ended`);
  });
}
