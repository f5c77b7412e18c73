/**
 * The floor: a bare shell loop on each host that makes the same files (`floor.sh`), through one ssh or on this machine.
 *
 * @module
 */

import type { Contender } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";
import { countEnded, type Rig, spanOf, withNewDisks } from "../rig.ts";
import type { CmsTimes } from "./cms.ts";

/** What the loop does. */
export interface FloorWork {
  /** Names its directories. */
  readonly name: string;
  /** In all; each host has its part, rounded up. */
  readonly jobs: number;
  /** Of each host. */
  readonly slots: number;
  /** Of the jobs' scripts; the loop itself runs in `sh`. */
  readonly shell: string;
  /** Of each job: words without quotes. */
  readonly command: string;
  /** Called when all have ended, while their files are there. @param name Directory in the home. */
  readonly inspect?: (name: string) => Promise<void>;
}

/** {@link runFloor} as a contender. */
export function floorContender(rig: Rig, work: FloorWork): Contender {
  return { name: work.name, amount: work.jobs, run: async (round) => (await runFloor(rig, work, round)).ms };
}

const SCRIPT = new URL("./floor.sh", import.meta.url);

/** The command of a loop on this machine, in a directory that is there. */
export function floorCommand(place: string, { jobs, slots, shell, command }: Omit<FloorWork, "name">): string[] {
  return ["sh", SCRIPT.pathname, place, String(jobs), String(slots), shell, command];
}

/** The loop on this machine, without ssh, on the disk of the manager's files. */
export function localFloorContender(directory: string, work: Omit<FloorWork, "inspect">): Contender {
  const run = async (round: number) => {
    const place = `${directory}/floor-${round}`;
    await Deno.mkdir(place);
    const ms = await timeOf(floorCommand(place, work));
    const ended = await outputOf(["sh", "-c", `cat ${place}/*/*.log | grep -cx '# exit: 0'`]);
    if (Number(ended) !== work.jobs) throw new Error(`${work.name} did not do its work: ${ended.trim()} ended`);
    return ms;
  };
  return { name: work.name, amount: work.jobs, run };
}

/**
 * A loop on each host. @returns The same times as of a run of the program.
 * @throws {Error} If a job did not end.
 */
export async function runFloor({ hosts, ssh }: Rig, work: FloorWork, round: number): Promise<CmsTimes> {
  const name = `${work.name.replaceAll(/[^a-z0-9]+/g, "-")}-${round}`;
  const input = await Deno.readTextFile(SCRIPT);
  const jobs = Math.ceil(work.jobs / hosts.length);
  return await withNewDisks(hosts, { name, jobs }, async () => {
    const remote = `sh -c "$(cat)" sh ${name} ${jobs} ${work.slots} ${work.shell} '${work.command}'`;
    const times = hosts.map((host) => timeOf([...ssh, "-T", `${host.user}@${host.name}`, remote], { input }));
    const ms = Math.max(...await Promise.all(times));
    const ended = await countEnded(hosts, name);
    if (ended !== jobs * hosts.length) {
      throw new Error(`${work.name} did not do its work: of ${jobs * hosts.length} jobs ${ended} ended`);
    }
    await work.inspect?.(name);
    return { ms, spanMs: await spanOf(hosts, name) };
  });
}
