/**
 * How long a slot is empty behind a line, from the end of a job to the start of the next one there, by the hosts' own
 * clocks: prefetch hides the line. Beside it a bare loop on each host, which has no line.
 *
 * @module
 */

import type { Bench, Plan, Setting } from "../bench.ts";
import { runCms } from "../contenders/cms.ts";
import { runFloor } from "../contenders/floor.ts";
import { sharedContenders } from "../contenders/shared.ts";
import type { TestHost } from "../../../testing/hosts.ts";
import { openRig, THREE, withLine } from "../rig.ts";
import { percentile } from "../statistics.ts";

const SLOTS = 2;
const ROUND_TRIP_MS = 40;
/** bash knows the time without a process of its own. */
const COMMAND = "echo $EPOCHREALTIME; sleep 0.1; echo $EPOCHREALTIME";

/** See the module. */
export const nextStart: Bench = {
  name: "next-start",
  about: "400 jobs of `sleep 0.1` on 3 ssh hosts of 2 slots, 20 ms of line each way: how long slots are empty",
  measure: "figure",
  rounds: 3,
  warmUp: false,
  open,
};

async function open(setting: Setting, stack: AsyncDisposableStack): Promise<Plan> {
  const jobs = setting.jobs ?? 400;
  const rig = await openRig(THREE, setting.directory, stack);
  const far = await withLine(rig, setting.directory, ROUND_TRIP_MS);
  const hosts = THREE.flatMap((name) => Array(SLOTS).fill(`pi@${name}`)).join(",");
  const names = ["ms, median", "ms, 99th percentile"] as const;
  const floors = ["floor, median", "floor, 99th percentile"] as const;
  const measure = async <N extends string>(
    [median, most]: readonly [N, N],
    run: (inspect: (directory: string) => Promise<void>) => Promise<unknown>,
  ): Promise<Record<N, number>> => {
    const gaps: number[] = [];
    await run(async (directory) => {
      for (const host of rig.hosts) gaps.push(...gapsOf(await timesOn(host, directory)));
    });
    return { [median]: percentile(gaps, 0.5), [most]: percentile(gaps, 0.99) } as Record<N, number>;
  };
  const work = (round: number) =>
    measure(
      names,
      (inspect) =>
        runCms(far, setting, { name: "next-start", jobs, command: COMMAND, shell: "bash", hosts, inspect }, round),
    );
  const floor = (round: number) =>
    measure(
      floors,
      (inspect) =>
        runFloor(rig, { name: "floor", jobs, slots: SLOTS, shell: "bash", command: COMMAND, inspect }, round),
    );
  return {
    work: `${jobs} jobs of \`sleep 0.1\` on 3 ssh hosts with ${SLOTS} slots each, ${ROUND_TRIP_MS} ms there and back`,
    contenders: [...sharedContenders(names, work), ...sharedContenders(floors, floor)],
    questions: [
      { of: names[0], to: null, mark: { atMost: 4 } },
      { of: names[1], to: null, mark: { atMost: 25 } },
      { of: names[0], to: floors[0], mark: null },
      { of: names[1], to: floors[1], mark: null },
    ],
  };
}

/** Start and end of each job of a host, ms. */
async function timesOn(host: TestHost, experiment: string): Promise<[start: number, end: number][]> {
  const { stdout } = await host.run(`for f in ~/${experiment}/*/*.out; do paste -s "$f"; done`);
  return stdout.trim().split("\n").map((line) => {
    const [start, end] = line.split("\t").map((text) => Number(text) * 1000);
    if (start === undefined || end === undefined) throw new Error(`A job of ${host.name} wrote "${line}"`);
    return [start, end];
  });
}

/** From each end to the start that came into its slot: the first one after it that no earlier end has. */
function gapsOf(times: readonly [start: number, end: number][]): number[] {
  const starts = times.map(([start]) => start).sort((a, b) => a - b).slice(SLOTS);
  const ends = times.map(([, end]) => end).sort((a, b) => a - b);
  return starts.map((start, i) => start - ends[i]!);
}
