/**
 * GNU parallel over ssh, as its manual has it: `parallel -S 4/pi@red`; with `-M` it keeps a connection open for each
 * host.
 *
 * @module
 */

import { installNeeded } from "../../test/install.ts";
import type { Contender, Setting } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";
import type { Rig } from "../rig.ts";

/** It takes 60 to 100 ms for a job, with -M 15 to 30, so it gets fewer; its jobs/s hardly depend on their number. */
const MOST = { each: 100, kept: 300 };

/**
 * One `echo` on each of the hosts of the rig, in turn, so that it can be counted what ran. Without `-M` it opens an ssh
 * for each job.
 * @param work `jobs`: how many at most. @returns None if it is not installed and cannot be, or is left out.
 */
export async function parallelContenders(
  rig: Rig,
  { directory, say, without }: Setting,
  work: { jobs: number; slots: number; kept: boolean },
): Promise<Contender[]> {
  if (without.some((name) => "parallel -S".startsWith(name)) || !await hasParallel(say)) return [];
  // One word: with -M it takes what is there for the name of a program.
  const ssh = `${directory}/ssh`;
  await Deno.writeTextFile(ssh, `#!/bin/sh\nexec ${rig.ssh.join(" ")} "$@"\n`, { mode: 0o755 });
  const env = { HOME: await parallelHome(directory), PARALLEL_SSH: ssh };
  const hosts = rig.hosts.map((host) => `${work.slots}/${host.user}@${host.name}`).join(",");
  return (work.kept ? [false, true] : [false]).map((kept) => {
    const name = kept ? "parallel -S -M" : "parallel -S";
    const jobs = Math.min(work.jobs, kept ? MOST.kept : MOST.each);
    const words = Array.from({ length: jobs }, (_, index) => String(index + 1));
    const run = async (round: number): Promise<number> => {
      const file = `ran-${kept ? "kept" : "each"}-${round}`;
      const ms = await timeOf(
        ["parallel", ...(kept ? ["-M"] : []), "-S", hosts, `echo {} >> ~/${file}`, ":::", ...words],
        { env },
      );
      const lists = await Promise.all(rig.hosts.map(async (host) => (await host.run(`cat ~/${file}`)).stdout));
      const ran = new Set(lists.join("").split("\n").filter((line) => line !== "")).size;
      if (ran === jobs) return ms;
      throw new Error(`${name} did not do its work: of ${jobs} jobs ${ran} ran`);
    };
    return { name, amount: jobs, run };
  });
}

/** Whether it is there, or could be installed. */
export async function hasParallel(say: (line: string) => void): Promise<boolean> {
  await installNeeded(() => {}, { parallel: "parallel" });
  if ((await outputOf(["parallel", "--version"]).catch(() => "")).includes("GNU parallel")) return true;
  say("GNU parallel is not installed here and is left out");
  return false;
}

/** A home of its own, in which its notice about citing is settled. */
export async function parallelHome(directory: string): Promise<string> {
  const home = `${directory}/home`;
  await Deno.mkdir(`${home}/.parallel`, { recursive: true });
  await Deno.writeTextFile(`${home}/.parallel/will-cite`, "");
  return home;
}
