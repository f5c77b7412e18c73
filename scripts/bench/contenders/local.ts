/**
 * Programs that run jobs on this machine: task-spooler, nq, GNU parallel. Each as its manual has it, from the first job
 * that is handed to it until the last has ended.
 *
 * @module
 */

import { installNeeded } from "../../test/install.ts";
import type { Contender, Setting } from "../bench.ts";
import { outputOf, timeOf } from "../program.ts";
import { hasParallel, parallelHome } from "./parallel.ts";

/** All that are here or can be installed. */
export async function localContenders(
  { directory, say }: Setting,
  work: { jobs: number; slots: number },
): Promise<Contender[]> {
  await installNeeded(() => {}, { tsp: "task-spooler", nq: "nq" });
  const contenders: Contender[] = [];
  const { jobs } = work;
  if (await isThere("tsp")) {
    contenders.push({
      name: "task-spooler",
      amount: jobs,
      run: (round) => spool(directory, work, round),
    });
  } else say("task-spooler is not installed here and is left out");
  if (await isThere("nq")) contenders.push({ name: "nq", amount: jobs, run: (round) => nq(directory, jobs, round) });
  else say("nq is not installed here and is left out");
  if (await hasParallel(say)) {
    const env = { HOME: await parallelHome(directory) };
    const words = Array.from({ length: jobs }, (_, index) => String(index + 1));
    const command = ["parallel", `-j${work.slots}`, "true", ":::", ...words];
    contenders.push({ name: "parallel -j4", amount: jobs, run: () => timeOf(command, { env }) });
  }
  return contenders;
}

async function isThere(program: string): Promise<boolean> {
  return await outputOf(["sh", "-c", `command -v ${program}`]).then(() => true, () => false);
}

/** A server of its own for each round; it keeps the list of all jobs that have ended. */
async function spool(
  directory: string,
  { jobs, slots }: { jobs: number; slots: number },
  round: number,
): Promise<number> {
  const temporary = `${directory}/tsp-${round}`;
  await Deno.mkdir(temporary);
  const env = { TS_SOCKET: `${temporary}/socket`, TMPDIR: temporary, TS_MAXFINISHED: String(jobs) };
  const loop = `tsp -S ${slots}; i=0; while [ $i -lt ${jobs} ]; do tsp true >/dev/null; i=$((i+1)); done
    while tsp -l | grep -Eq ' (queued|running) '; do sleep 0.01; done`;
  try {
    const ms = await timeOf(["sh", "-c", loop], { env });
    const ended = (await outputOf(["tsp", "-l"], { env })).split("\n").filter((line) =>
      line.includes(" finished ")
    ).length;
    if (ended !== jobs) throw new Error(`task-spooler did not do its work: of ${jobs} jobs ${ended} ended`);
    return ms;
  } finally {
    await outputOf(["tsp", "-K"], { env });
  }
}

/**
 * One job at a time, which is all it does. Its `-w` may see a moment in which one has ended and the next has not begun.
 */
async function nq(directory: string, jobs: number, round: number): Promise<number> {
  const place = `${directory}/nq-${round}`;
  await Deno.mkdir(place);
  const loop = `i=0; while [ $i -lt ${jobs} ]; do nq -q true; i=$((i+1)); done
    while nq -w; [ "$(grep -rls 'exited with status 0' ${place} | wc -l)" -lt ${jobs} ]; do sleep 0.01; done`;
  return await timeOf(["sh", "-c", loop], { env: { NQDIR: place } });
}
