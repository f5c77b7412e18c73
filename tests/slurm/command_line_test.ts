/**
 * Slurm by its commands, on a real one: over ssh on its login host, whose login shell talks.
 */

import assert from "node:assert/strict";
import type { SlurmFields } from "../../src/cluster/slurm_entry.ts";
import { realDeps } from "../../src/deps_real.ts";
import { makeSlurm } from "../../src/slurm/command_line.ts";
import type { Sight, Slurm } from "../../src/slurm/slurm.ts";
import { slurmTest } from "../../testing/need_slurm.ts";
import type { SlurmRig } from "../../testing/slurm.ts";
import { waitUntil } from "../../testing/wait.ts";

const ENTRY: SlurmFields = {
  ...{ partition: null, account: null, qos: null, time: "1h", nodes: 1, gpus: 1, cpus: 2, memory: "200M" },
  ...{ constraint: null, extra: null, allocations: 4, idle: "5m", jobsPerAllocation: 0, link: "srun" },
};

function slurmOver({ hosts }: SlurmRig): Slurm {
  const real = realDeps();
  const get = (name: string) => hosts.env[name] ?? real.environment.get(name);
  return makeSlurm({ ...real, environment: { ...real.environment, get } }, {
    user: "pi",
    name: "login",
    address: null,
  });
}

slurmTest(
  "submit(), look() and cancel() over ssh: an array, its tasks, and the names of what is there",
  async (rig) => {
    await Deno.writeTextFile(`${rig.login.home}/.profile`, "echo profile; echo profile >&2\n");
    const slurm = slurmOver(rig);
    const directory = "it's $HOME";
    const request = { name: "cms-a-1", count: 5, entry: ENTRY, directory };
    const submitted = await slurm.submit(request);
    assert.equal(submitted.type, "submitted");
    let sights: readonly Sight[] = [];
    await waitUntil(() => `four that run: ${JSON.stringify(sights)}`, async () => {
      sights = await slurm.look(["cms-a-1", "cms-none"]) ?? [];
      const waits = sights.filter(({ state, reason }) => state === "pending" && reason === "Resources");
      return waits.length === 1 && sights.filter(({ state }) => state === "running").length === 4;
    });
    // Each node has two GPUs.
    assert.deepEqual(sights.map(({ task }) => task).sort(), [0, 1, 2, 3, 4]);
    const waits = sights.find(({ state }) => state === "pending");
    assert.ok(waits);
    assert.equal(waits.job, null);
    const runs = sights.filter(({ state }) => state === "running");
    assert.equal(new Set(runs.map(({ job }) => job)).size, 4);
    for (const { leftMs, nodes, started } of runs) {
      assert.ok(leftMs !== null && leftMs > 3_500_000 && leftMs <= 3_600_000);
      assert.match(nodes.join(), /^n[12]$/);
      assert.match(started ?? "", /^[0-9]{10}$/);
    }
    const [first] = runs;
    await waitUntil(
      "its starter",
      () => Deno.stat(`${rig.login.home}/${directory}/.cms/slurm/${first!.job}.${first!.nodes[0]}/at`),
    );
    assert.equal(await slurm.cancel(sights.map(({ array, task }) => `${array}_${task}`)), null);
    await waitUntil(() => `their end: ${JSON.stringify(sights)}`, async () => {
      sights = await slurm.look(["cms-a-1"]) ?? [];
      return sights.length > 0 && sights.every(({ state }) => state === "over");
    }, { limitMs: 30_000 });
    assert.deepEqual(new Set(sights.map(({ reason }) => reason)), new Set(["CANCELLED"]));
    assert.deepEqual(await slurm.look(["cms-none"]), []);
  },
);

slurmTest("what Slurm refuses comes with its words; where nobody answers nothing is known", async (rig) => {
  const slurm = slurmOver(rig);
  const refused = await slurm.submit({
    ...{ name: "cms-a-2", count: 1, directory: "." },
    entry: { ...ENTRY, partition: "none" },
  });
  assert.equal(refused.type, "refused");
  assert.match(refused.type === "refused" ? refused.reason : "", /invalid partition specified: none/);
  const check = async (entry: SlurmFields) => {
    const facts = await slurm.check(entry, ".");
    assert.ok(typeof facts !== "string", String(facts));
    return facts;
  };
  const facts = await check({ ...ENTRY, gpus: 3 });
  assert.match(facts.version, /^slurm/);
  assert.match(facts.refusal ?? "", /Requested node configuration is not available/);
  assert.equal((await check(ENTRY)).refusal, null);
  await slurm.submit({ name: "cms-a-3", count: 1, entry: ENTRY, directory: "." });
  assert.ok((await check(ENTRY)).ours.some(({ name }) => name === "cms-a-3"));
  // Whether nodes see the directory: they do; one does not; the job that looks has no place.
  const look1 = { ...ENTRY, gpus: 0, extra: "-w n1" };
  assert.deepEqual(await slurm.spool(look1, "runs/it's"), { type: "shared", node: "n1" });
  await rig.slurm.onNode("n1", "mount -t tmpfs tmpfs /home/pi", { user: "root" });
  assert.deepEqual(await slurm.spool(look1, "."), { type: "apart", node: "n1" });
  await rig.slurm.onNode("n1", "cd /; umount -l /home/pi", { user: "root" });
  const reason = "the job that looks waits (BeginTime)";
  assert.deepEqual(await slurm.spool({ ...ENTRY, extra: "--begin=now+1hour" }, "."), { type: "unknown", reason });
  assert.deepEqual((await rig.slurm.jobs()).filter((job) => /PENDING/.test(job)), []);
  assert.equal((await rig.login.run("ls -A ~ | grep -e check -e runs")).stdout, "");
  await rig.slurm.crashControl();
  const request = { name: "cms-a-4", count: 1, entry: ENTRY, directory: "." };
  const [submitted, look, cancel] = await Promise.all([
    slurm.submit(request),
    slurm.look(["cms-a-3"]),
    slurm.cancel(["1"]),
  ]);
  assert.equal(submitted.type, "unknown");
  assert.equal(look, null);
  assert.match(cancel ?? "", /Unable to contact slurm controller/);
});
