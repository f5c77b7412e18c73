/**
 * Surroundings that a run can only tell of: connections that take all that runs with them, or that lose a stream.
 *
 * @module
 */

import assert from "node:assert/strict";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { Manager } from "../../testing/harness.ts";
import { makeQueue, sshPids, waitForState } from "../../testing/harness_faults.ts";

hostTest(
  "a run says what to do where all jobs end with their connection, as with KillUserProcesses=yes",
  async (hosts) => {
    await using manager = await Manager.make(hosts);
    await makeQueue(manager, "job[1-2]", "sleep 600");
    const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red");
    for (const job of ["job1", "job2"]) await waitForState(manager, job, "start");
    // What logind does when the last session of pi ends.
    await hosts.host("red").cut();
    for (const pid of sshPids(run)) Deno.kill(pid, "SIGKILL");
    await hosts.host("red").run("kill -9 -1");
    const left = () =>
      hosts.host("red").run("ps -u pi -o pid=,args= || :", { user: "root" }).then((r) => r.stdout.trim());
    await waitUntil(async () => `no process of pi is left; now ${await left()}`, async () => await left() === "");
    await hosts.host("red").mend();
    await run.waitFor("loginctl enable-linger pi on red", 40_000);
    const { code, stderr } = await run.ended();
    assert.equal(code, 1);
    assert.equal(stderr.match(/enable-linger/g)?.length, 1);
  },
);

hostTest("a run says that nothing arrives on stderr", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await Deno.writeTextFile(`${manager.home}/ssh`, `#!/bin/sh\nexec ${manager.env.CMS_SSH} "$@" 2>/dev/null\n`, {
    mode: 0o755,
  });
  await makeQueue(manager, "job1", "sleep 600");
  const run = manager.spawn([`${manager.bin}/cms`, "queue", "run", "fifo_multi", "a", "--hosts=pi@red"], {
    env: { CMS_SSH: `${manager.home}/ssh` },
  });
  await run.waitFor("Of pi@red nothing arrives on stderr, so that starts and ends are noticed up to 60 s late");
  await run.kill9();
});
