/** The end of a run, on a Slurm that does not always answer. */

import assert from "node:assert/strict";
import { makeHost } from "../../src/cluster/host.ts";
import type { Clock } from "../../src/deps.ts";
import type { HostId } from "../../src/names/grammar.ts";
import type { Demand } from "../../src/scheduler/demand.ts";
import { SlurmHosts } from "../../src/slurm/driver.ts";
import { entryOf } from "../../src/slurm/entry.ts";
import type { Sight, Slurm } from "../../src/slurm/slurm.ts";
import { memoryDeps } from "../../testing/memory_files.ts";

const NOTES = "/home/.a-queue.allocations";

/** A hundred times as fast as the real one. */
function fastClock(): Clock {
  const now = () => performance.now() * 100;
  return {
    now,
    epochMs: now,
    sleepUntil: (atMs, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, atMs - now()) / 100);
        const wake = () => (clearTimeout(timer), resolve());
        if (signal?.aborted) wake();
        signal?.addEventListener("abort", wake, { once: true });
      }),
  };
}

/** A run that ends as soon as it began, after one that was killed and had two allocations. */
async function endAtOnce(looks: (look: number) => Partial<Sight>[] | null, leave = AbortSignal.timeout(60_000)) {
  const deps = { ...memoryDeps(), clock: fastClock() };
  await deps.files.makeDirectory("/home");
  const file = (await deps.files.openAppend(NOTES, { create: true }))!;
  await file.append(new TextEncoder().encode("+ cms-a-old gpu 2 1000\n= cms-a-old\n"));
  file.close();
  const cancelled: string[][] = [];
  const warnings: string[] = [];
  let count = 0;
  const slurm = {
    look: () =>
      Promise.resolve(
        looks(++count)?.map((sight, task) => ({
          ...{ name: "cms-a-old", task, array: "7", job: `${8 + task}`, state: "running", reason: "None" },
          ...{ nodes: ["n1"], restarts: 0, started: null, leftMs: 3_600_000 },
          ...sight,
        })) ?? null,
      ),
    cancel(allocations: readonly string[]) {
      cancelled.push([...allocations]);
      return Promise.resolve(null);
    },
  } as unknown as Slurm;
  const hosts = new SlurmHosts({
    deps,
    queue: "a",
    notesFile: NOTES,
    directories: { there: "experiment", here: "/home/experiment" },
    slurmOn: () => slurm,
    onReport: () => {},
    warn: (text) => warnings.push(text),
    pause: () => Promise.resolve(),
    onSummary: () => {},
    demand: () => ({ waiting: () => 0, isBusy: () => false, isOpen: () => false, isEnding: true }) as unknown as Demand,
    hasOthers: false,
  });
  const slurmFields = { kind: "slurm", time: "1h", allocations: 2, idle: "5m" };
  hosts.hosts([entryOf(makeHost("gpu" as HostId, { name: "login", user: "me", slurm: slurmFields }))]);
  await hosts.begin();
  await hosts.finish(leave);
  return { cancelled, warnings, notes: await deps.files.readText(NOTES) };
}

Deno.test("What a killed run has left is cancelled at the end, though Slurm says late what that is", async () => {
  const { cancelled, warnings, notes } = await endAtOnce((look) => look < 4 ? null : [{}, {}]);
  assert.deepEqual(cancelled, [["7_0", "7_1"]]);
  assert.deepEqual(warnings, ["Slurm does not say what there is of cms-a-old; asking again for 3 minutes"]);
  assert.equal(notes, null);
});

Deno.test("What nobody knows at the end of a run is left to the next: nothing is cancelled, its note stays", async () => {
  const left = await endAtOnce(() => null, AbortSignal.abort());
  assert.deepEqual(left.cancelled.flat(), []);
  assert.deepEqual(left.warnings, ["Slurm does not say what there is of cms-a-old; a run to come looks for it"]);
  assert.match(left.notes ?? "", /^\+ cms-a-old /);
  // Slurm answers, and does not show it: that proves nothing.
  const hidden = await endAtOnce(() => []);
  assert.deepEqual([hidden.cancelled.flat(), hidden.warnings], [[], []]);
  assert.match(hidden.notes ?? "", /^\+ cms-a-old /);
});
