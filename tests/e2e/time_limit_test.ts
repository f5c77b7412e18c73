/**
 * Time limits on real hosts: kept by the host itself, whatever becomes of the manager and the link; and what a run
 * makes of them.
 */

import assert from "node:assert/strict";
import {
  makeManager,
  makeQueue,
  onceCommand,
  QUICK_SSH,
  readText,
  waitForState,
} from "../../testing/harness_faults.ts";
import { hostTest } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";

/** Never ends by itself, ignores TERM, and has a child in a session of its own. */
const ENDLESS = onceCommand("trap '' TERM; setsid sleep 976 & while :; do sleep 0.2; done");

hostTest("a time limit is kept with no manager, and with the link cut; the next run finds why", async (hosts) => {
  await using manager = await makeManager(hosts, QUICK_SSH);
  const [red, red01] = [hosts.host("red"), hosts.host("red01")];
  await makeQueue(manager, "job[1-2]", ENDLESS, "--time-limit=2s", "--grace=1s");
  const run = manager.start("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01");
  await waitForState(manager, "job1", "start");
  await waitForState(manager, "job2", "start");
  await red01.cut();
  await run.kill9();
  for (const [host, job] of [[red, "job1"], [red01, "job2"]] as const) {
    await waitUntil(`the end of ${job}`, () => {
      return readText(`${host.home}/experiment/${job}/${job}.log`).endsWith(
        "# time limit: 2s\n# cloudmesh state: kill\n",
      );
    });
    await waitUntil(`nothing of ${job}`, async () => {
      const found = await host.run("ps -o args= -u pi | grep -E '[s]leep 976|[s]leep 0.2' || true", { user: "root" });
      return found.stdout === "";
    });
  }
  await red01.mend();
  const { code, stderr } = await manager.cms("queue", "run", "fifo_multi", "a", "--hosts=pi@red,pi@red01");
  assert.equal(code, 1);
  const jobs = await manager.jobs();
  for (const job of ["job1", "job2"]) {
    assert.deepEqual([jobs.get(job)?.status, jobs.get(job)?.reason], ["kill", "time limit 2s"], stderr);
    assert.match(stderr, new RegExp(`${job} .*time limit 2s`));
  }
});

hostTest(
  "the limit of a run is for jobs without one; a running job's counts at once; a limit is tried again",
  async (hosts) => {
    await using manager = await makeManager(hosts);
    await manager.ok("queue", "create", "a");
    const add = (name: string, command: string, ...words: string[]) =>
      manager.ok("queue", "add", "a", `--name=${name}`, `--command=${command}`, ...words);
    await add("own", "sleep 2; echo done", "--time-limit=1h");
    await add("none", "exec sleep 975");
    await add(
      "again",
      onceCommand("[ -e ~/tried ] || { touch ~/tried; exec sleep 975; }"),
      "--time-limit=1s",
      "--retries=1",
      "--retry-on=time_limit",
      "--retry-delay=1s",
    );
    await add("long", "exec sleep 975", "--time-limit=1h");
    const run = manager.start(
      "queue",
      "run",
      "fifo_multi",
      "a",
      "--hosts=pi@red,pi@red,pi@red,pi@red",
      "--time-limit=1s",
    );
    await waitForState(manager, "long", "start");
    const path = manager.path("a-queue.yaml");
    // The run may write the file between our reading and writing: who sees the edit gone makes it again.
    await waitUntil("the edit to count", async () => {
      const text = await Deno.readTextFile(path);
      const at = text.indexOf("time_limit: 1h\n", text.indexOf("\nlong:"));
      const edited = `${text.slice(0, at)}time_limit: 2s\n${text.slice(at + "time_limit: 1h\n".length)}`;
      if (at > 0) await Deno.writeTextFile(path, edited);
      return run.text.includes("Job long was killed");
    });
    const { code, text } = await run.ended().then(({ code }) => ({ code, text: run.text }));
    assert.equal(code, 1, text);
    const jobs = await manager.jobs();
    const of = (name: string) => [jobs.get(name)?.status, jobs.get(name)?.exit_code, jobs.get(name)?.reason ?? null];
    assert.deepEqual(of("own"), ["end", 0, null], text);
    assert.deepEqual(of("none"), ["kill", 143, "time limit 1s"], text);
    assert.deepEqual(of("again"), ["end", 0, null], text);
    assert.deepEqual(of("long"), ["kill", 143, "time limit 2s"], text);
    assert.match(text, /again .*time limit 1s/);
  },
);
