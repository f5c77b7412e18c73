/** The service with real hosts: a run over ssh, what its jobs write, kill and stop. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import { makeConnect } from "../../src/link/connect.ts";
import { SELF } from "../../testing/run_place.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { reach } from "./runs_support.ts";
import { Reading } from "./sse.ts";
import { withService } from "../../testing/service/service.ts";

hostTest("a run over ssh is begun, followed, read, killed and stopped over REST", async (hosts) => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    await t.text("POST /cluster/?name=c");
    for (const name of ["red", "red01"]) await t.text(`POST /cluster/c?id=${name}&name=${name}&user=pi`);
    const command = "hostname; echo oops >&2; exec sleep 1000";
    await t.text(`POST /queue/a?${new URLSearchParams({ name: "job[1-3]", command })}`);
    try {
      const reading = new Reading(await t.ask("GET /events?queue=a"));
      await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
      await reach(t, "job1 start", "job2 start", "job3 undefined");
      for (const machine of ["pi@red", "pi@red01"]) {
        await reading.waitFor(({ type, data }) => type === "host_up" && data.machine === machine);
      }
      const output = await waitUntil("the output", () => t.text("GET /queue/a/job/job1/output"));
      assert.match(output, /^red(01)?\n$/);
      assert.equal(await t.text("GET /queue/a/job/job1/error"), "oops\n");
      await t.text("POST /queue/a/job/job1/kill");
      await reach(t, "job1 kill", "job2 start", "job3 start");
      await t.text("PUT /queue/a/stop");
      await reach(t, "job1 kill", "job2 kill", "job3 kill");
      for (const name of ["red", "red01"]) {
        assert.equal((await hosts.host(name).run("pgrep -x sleep")).stdout, "", name);
      }
      await reading.waitFor(({ type }) => type === "run_end");
      await reading.close();
    } finally {
      await (await t.ask("PUT /queue/a/stop")).body?.cancel();
    }
  }, ({ deps: real }) => {
    const { environment, processes } = real;
    const deps: Deps = {
      ...real,
      environment: { ...environment, self: SELF, get: (name) => hosts.env[name] ?? environment.get(name) },
      processes: {
        spawn: (words, options = {}) => processes.spawn(words, { ...options, env: { ...options.env, ...hosts.env } }),
      },
    };
    return { deps, connect: makeConnect(deps) };
  });
});
