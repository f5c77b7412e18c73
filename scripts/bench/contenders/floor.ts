/**
 * The floor: a bare shell loop on the host that makes the same files (`floor.sh`), through one ssh.
 *
 * @module
 */

import type { Contender } from "../bench.ts";
import { timeOf } from "../program.ts";
import { countEnded, type Rig, withNewDisks } from "../rig.ts";

/** A loop on the first host. @param work `shell`: of the jobs' scripts; the loop itself runs in `sh`. */
export function floorContender(
  rig: Rig,
  work: { name: string; jobs: number; slots: number; shell: string },
): Contender {
  const hosts = rig.hosts.slice(0, 1);
  const [host] = hosts;
  const id = work.name.replaceAll(/[^a-z0-9]+/g, "-");
  const run = async (round: number): Promise<number> => {
    const name = `${id}-${round}`;
    const script = await Deno.readTextFile(new URL("./floor.sh", import.meta.url));
    return await withNewDisks(hosts, { name, jobs: work.jobs }, async () => {
      const remote = `sh -c "$(cat)" sh ${name} ${work.jobs} ${work.slots} ${work.shell}`;
      const ms = await timeOf([...rig.ssh, "-T", `${host!.user}@${host!.name}`, remote], { input: script });
      const ended = await countEnded(hosts, name);
      if (ended === work.jobs) return ms;
      throw new Error(`${work.name} did not do its work: of ${work.jobs} jobs ${ended} ended`);
    });
  };
  return { name: work.name, amount: work.jobs, run };
}
