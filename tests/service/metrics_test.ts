/** The numbers for Prometheus, without a service. */
import assert from "node:assert/strict";
import type { QueuesWatch } from "../../src/operations/watch_queues.ts";
import { Counters, MetricsText } from "../../src/service/metrics.ts";

Deno.test("metrics have the allocations of each entry of Slurm that a run uses", () => {
  const allocations = [{ entry: "gpu", running: 2, pending: 1, reason: "Resources" }];
  const about = { scheduler: "fifo_multi", cluster: "hpc", slots: 4, machines: {}, allocations };
  const run = (isRunning: boolean) => ({ pid: 1, hostname: "h", run: "r", isRunning, about });
  const text = (isRunning: boolean): string => {
    const queues = new Map([["a", { states: new Map(), run: run(isRunning) }]]);
    const watch = { experiment: "experiment", queues, subscribe: () => {} } as unknown as QueuesWatch;
    const metrics = new MetricsText();
    new Counters(watch).addTo(metrics);
    return metrics.render();
  };
  const labels = `experiment="experiment",queue="a",host="gpu"`;
  for (const [state, count] of [["running", 2], ["pending", 1]]) {
    assert.ok(text(true).includes(`\ncms_allocations{${labels},state="${state}"} ${count}\n`));
  }
  assert.ok(!text(false).includes("cms_allocations{"));
});
