/** The service with real hosts: a run over ssh, what its jobs write, kill and stop; and what jobs ask for. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import { makeConnect } from "../../src/link/connect.ts";
import { SELF } from "../../testing/run_place.ts";
import type { TestHosts } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import type { Service } from "../../src/service/service.ts";
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
    await t.text(`POST /queue/a?${new URLSearchParams({ name: "job[1-5]", command })}`);
    const posted: { job?: string; state: string }[] = [];
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
      posted.push(await request.json());
      return new Response();
    });
    try {
      const reading = new Reading(await t.ask("GET /events?queue=a"));
      assert.deepEqual((await t.json("PUT /queue/a/hold?name=job4")).changed, ["job4"]);
      const words = new URLSearchParams({
        cluster: "c",
        halt: "now,done=5",
        on_fail: "echo $CMS_JOB $CMS_HOST $CMS_REASON >>told",
        webhook: `http://127.0.0.1:${server.addr.port}/`,
      });
      await t.json(`PUT /queue/a/run_fifo_multi?${words}`);
      await reach(t, "job1 start", "job2 start", "job3 undefined", "job4 undefined", "job5 undefined");
      for (const machine of ["pi@red", "pi@red01"]) {
        await reading.waitFor(({ type, data }) => type === "host_up" && data.machine === machine);
      }
      const output = await waitUntil("the output", () => t.text("GET /queue/a/job/job1/output"));
      assert.match(output, /^red(01)?\n$/);
      assert.equal(await t.text("GET /queue/a/job/job1/error"), "oops\n");
      await t.text("POST /queue/a/job/job1/kill");
      const rest = ["job4 undefined", "job5 undefined"];
      await reach(t, "job1 kill", "job2 start", "job3 start", ...rest);
      // In a pause nothing starts; what is held, not after it either.
      await t.json("PUT /queue/a/pause?reason=new+disk");
      const said = () => Deno.readTextFile(`${t.directory}/experiment/.a-queue.log`);
      await waitUntil(
        "the pause",
        async () => (await said()).includes("The queue is paused: new disk. No job starts."),
      );
      await t.json("PATCH /queue/a/job/job2", { json: { time_limit: "1s" } });
      await reach(t, "job1 kill", "job2 kill", "job3 start", ...rest);
      assert.equal((await t.json("GET /queue/a/job/job2/show")).reason, "time limit 1s");
      assert.equal((await t.json("GET /queue/a/job/job5/show")).reason, "the queue is paused: new disk");
      await t.json("PUT /queue/a/resume");
      await reach(t, "job1 kill", "job2 kill", "job3 start", "job4 undefined", "job5 start");
      const host3 = (await t.json("GET /queue/a/job/job3")).host;
      const drained = await t.json(`PUT /cluster/c/id/${host3}/drain?kill_after=1s`);
      assert.deepEqual([drained.outcome, drained.killed], ["drained", [
        { queue: "a", job: "job3", machine: `pi@${host3}` },
      ]]);
      await t.json("PUT /queue/a/release");
      assert.deepEqual((await t.json("PUT /queue/a/kill?status=start")).killed, ["job5"]);
      await reach(t, "job1 kill", "job2 kill", "job3 kill", "job4 start", "job5 kill");
      await waitUntil("all notices", () => posted.length === 4);
      const told = await Deno.readTextFile(`${t.directory}/told`);
      assert.match(told, /^job2 red(01)? time limit 1s$/m);
      await t.text("PUT /queue/a/stop");
      await reach(t, "job1 kill", "job2 kill", "job3 kill", "job4 kill", "job5 kill");
      for (const name of ["red", "red01"]) {
        assert.equal((await hosts.host(name).run("pgrep -x sleep")).stdout, "", name);
      }
      await reading.waitFor(({ type }) => type === "run_end");
      await reading.close();
    } finally {
      await (await t.ask("PUT /queue/a/stop")).body?.cancel();
    }
  }, ({ deps }) => reaching(hosts, deps));
});

/** Two GPUs; who uses them stands in a file. */
const NVIDIA_SMI = `#!/bin/sh
case $1 in
-L) echo 'GPU 0: X (UUID: GPU-a)'; echo 'GPU 1: X (UUID: GPU-b)' ;;
--query-gpu=*) echo '0, GPU-a, 3'; echo '1, GPU-b, 3' ;;
*) cat ~/others 2>/dev/null; true ;;
esac
`;

hostTest("limits, tries, order, needs and idle GPUs are asked for over REST, and hold on real hosts", async (hosts) => {
  const red = hosts.host("red");
  await Deno.mkdir(`${red.home}/smi`, { mode: 0o755 });
  await Deno.writeTextFile(`${red.home}/smi/nvidia-smi`, NVIDIA_SMI, { mode: 0o755 });
  await red.run("mount --bind /home/pi/smi /usr/local/bin", { user: "root" });
  const { stdout } = await red.run("setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!");
  await red.run(`echo "GPU-b, ${stdout.trim()}, 900" >others`);
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    await t.text("POST /cluster/?name=c");
    await t.text("POST /cluster/c?id=h1&name=red&user=pi&gpus=auto&cpus=4&env=PLACE=shelf&env=BOTH=host");
    const host = await t.json("GET /cluster/c/id/h1");
    assert.deepEqual([host.gpus, host.max_jobs_allowed], ["0-1", 2]);
    const slow = {
      name: "slow",
      command: "echo $PLACE $BOTH; test $CMS_TRY = 2 || exec sleep 1000",
      env: { BOTH: "job" },
    };
    const jobs = [
      { ...slow, time_limit: "1s", retries: 1, retry_delay: "1s", retry_on: ["time_limit"], workdir: "runs" },
      { name: "next", command: "true", after: ["slow"] },
      { name: "never", command: "true", after_notok: "slow" },
      { name: "own[1-2]", command: "true", after_corr: "slow,next" },
      { name: "four", command: "true", gpus: 4 },
      { name: "pair", command: "echo $CMS_GPUS", gpus: 2, priority: 5 },
      { name: "one", command: "echo $CMS_GPUS", gpus: 1, cpus: 2 },
    ];
    await t.json("POST /queue/a/jobs", { json: { jobs } });
    const reasonOf = async (job: string) => (await t.json(`GET /queue/a/job/${job}/show`)).reason;
    try {
      await t.json("PUT /queue/a/run_fifo_multi?cluster=c&gpu_idle=true&time_limit=1h");
      const over = ["next end", "own1 end", "own2 end", "one end", "never fail_start", "slow end"];
      await waitUntil("what may run is over", async () => {
        const now = Object.values(await t.json("GET /queue/a") as Record<string, { name: string; status: string }>);
        return over.every((state) => now.some(({ name, status }) => `${name} ${status}` === state));
      }, { limitMs: 30_000 });
      assert.equal(await reasonOf("never"), "slow ended well");
      assert.equal(await reasonOf("four"), "no host has 4 GPUs");
      await waitUntil(
        "pair's reason",
        async () => await reasonOf("pair") === `gpu 1 of h1 is used by pid ${stdout.trim()}`,
      );
      const { history } = (await t.json("GET /queue/a/job/slow/show")).job;
      assert.deepEqual([history.length, history[0].reason], [1, "time limit 1s"]);
      for (const number of [1, 2]) {
        assert.equal(await t.text(`GET /queue/a/job/slow/output?try=${number}`), "shelf job\n");
      }
      assert.equal(await t.text("GET /queue/a/job/one/output"), "0\n");
      await t.text("PUT /queue/a/stop?kill=false");
      // The host says it itself, and nobody uses them any more.
      await t.json("PATCH /cluster/c/id/h1", { json: { gpu_idle: true } });
      await red.run("rm others");
      await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
      await waitUntil("the end of pair", async () => await reasonOf("pair") === "ended well", { limitMs: 30_000 });
      assert.equal(await t.text("GET /queue/a/job/pair/output"), "0,1\n");
      await waitUntil(
        "the run's word",
        async () => (await t.json("GET /queue/a/history?limit=1")).runs[0].waiting === 1,
      );
    } finally {
      await (await t.ask("PUT /queue/a/stop")).body?.cancel();
    }
  }, ({ deps }) => reaching(hosts, deps));
});

/** A service whose ssh, and that of its runs, leads to the hosts. */
function reaching(hosts: TestHosts, real: Deps): Pick<Service, "deps" | "connect"> {
  const { environment, processes } = real;
  const deps: Deps = {
    ...real,
    environment: { ...environment, self: SELF, get: (name) => hosts.env[name] ?? environment.get(name) },
    processes: {
      spawn: (words, options = {}) => processes.spawn(words, { ...options, env: { ...options.env, ...hosts.env } }),
    },
  };
  return { deps, connect: makeConnect(deps) };
}
