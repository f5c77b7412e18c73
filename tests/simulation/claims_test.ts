/**
 * Claims on simulated hosts.
 *
 * @module
 */

import assert from "node:assert/strict";
import { lifeOf, stateOf } from "../../src/simulation/claims.ts";
import { Host } from "../../src/simulation/host.ts";
import { Random } from "../../src/simulation/random.ts";
import { Timeline } from "../../src/simulation/timeline.ts";
import { Truth } from "../../src/simulation/truth.ts";
import { startJob } from "../../src/simulation/wrapper.ts";

Deno.test("a job whose wrapper was ended before it wrote the pid is known by its mark, with its slot", () => {
  const timeline = new Timeline(0);
  const truth = new Truth({ capacityOn: () => null, cpusOn: () => 0, maxParallel: null });
  const parts = { timeline, truth, random: new Random(1), latencyMs: 1, preemption: 0, pids: 500, trace: () => {} };
  const host = new Host({ ...parts, key: "me@host0" });
  const [job, attempt, queue] = ["job0", "aa.1", "0123456789abcdef"];
  host.makeDirectory(job);
  const directory = host.directories.get(job)!;
  const link = directory.makeLink(0)!;
  const wrapper = host.spawn("wrapper", attempt, null);
  const by = { wrapper: wrapper.pid, wrapperTicks: wrapper.startTicks };
  directory.setLink(link, { attempt, queue, boot: host.boot, machine: host.machine, ...by });
  const start = { job, attempt, shell: "sh", gpu: "-", script: "work 1000 0", limit: "-" };
  const { process } = startJob(host, { ...start, variables: "CMS_HOST=h0 CMS_SLOT=3", slot: "3" }, directory);
  assert.equal(lifeOf(host, directory, link), "claimed");
  host.end(wrapper);
  const asked = stateOf(host, directory, { job, attempt, queue });
  let step = asked.next();
  while (step.done !== true) step = asked.next();
  assert.equal(step.value, `alive ${process.pid} ${link.startedMs} 1 s=3`);
  assert.equal(link.slot, "3");
});
