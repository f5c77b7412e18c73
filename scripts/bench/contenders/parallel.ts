/**
 * GNU parallel over ssh, as its manual has it: `parallel -S 4/pi@red`.
 *
 * @module
 */

import { installNeeded } from "../../test/install.ts";
import type { Contender } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";
import type { Rig } from "../rig.ts";

/**
 * `true` so many times on the first host. It makes no files there and opens an ssh for each job.
 * @param directory For a home of its own, in which its notice about citing is settled.
 * @returns null if it is not installed and cannot be.
 */
export async function parallelContender(
  rig: Rig,
  directory: string,
  { jobs, slots, say }: { jobs: number; slots: number; say: (line: string) => void },
): Promise<Contender | null> {
  await installNeeded(() => {}, { parallel: "parallel" });
  if (!(await outputOf(["parallel", "--version"]).catch(() => "")).includes("GNU parallel")) {
    say("GNU parallel is not installed here and is left out");
    return null;
  }
  const home = `${directory}/home`;
  await Deno.mkdir(`${home}/.parallel`, { recursive: true });
  await Deno.writeTextFile(`${home}/.parallel/will-cite`, "");
  const [host] = rig.hosts;
  const words = Array.from({ length: jobs }, (_, index) => String(index + 1));
  const command = ["parallel", "-S", `${slots}/${host!.user}@${host!.name}`, "true", ":::", ...words];
  const env = { HOME: home, PARALLEL_SSH: rig.ssh.join(" ") };
  // Its exit status is the number of jobs that failed.
  return { name: "parallel -S", amount: jobs, run: () => timeOf(command, { env }) };
}
