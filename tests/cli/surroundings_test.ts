/** Variables and the workdir of jobs, variables of hosts: by command and by REST, and what the file has of them. */
import assert from "node:assert/strict";
import { listHosts } from "../../src/operations/list_hosts.ts";
import { listJobs } from "../../src/operations/list_jobs.ts";
import { clusterRef, queueRef } from "../../src/operations/refs.ts";
import { withService } from "../../testing/service/service.ts";
import { withPlace } from "./harness.ts";

Deno.test("queue add and set take variables and a workdir; NAME alone takes the caller's value, with a warning", async () => {
  await withPlace(async ({ ok, run, deps, directory }) => {
    await ok("queue", "create", "a");
    const hostile = "X=\n a 'b' \"c\" $(d) \r\n#: {e}\n";
    const words = ["--env", hostile, "--env=EMPTY=", "--env", "HOME", "--workdir=~/two words"];
    const added = await run("queue", "add", "a", "--name=x", "--command=true", ...words);
    assert.equal(
      added.err,
      "WARNING: The value of HOME stands in the queue file from now on, for all who may read it\n",
    );
    const job = async (name: string) =>
      (await listJobs(deps, { queue: queueRef(deps, { queue: "a" }) })).find((one) => one.name === name);
    const env = { X: hostile.slice(2), EMPTY: "", HOME: deps.environment.get("HOME") };
    assert.deepEqual([(await job("x"))?.env, (await job("x"))?.workdir], [env, "~/two words"]);
    await ok("queue", "set", "a", "x", "--set", "env.X=", "--set", "env.YY=2", "--set", "workdir=");
    const { X: _x, ...others } = env;
    assert.deepEqual([(await job("x"))?.env, (await job("x"))?.workdir ?? null], [{ ...others, YY: "2" }, null]);
    assert.deepEqual(
      (await run("queue", "add", "a", "--name=y", "--command=true", "--env=A=1", "--env=A=2")).status,
      2,
    );
    const file = `${directory}/experiment/a-queue.yaml`;
    const before = await Deno.readTextFile(file);
    for (
      const [word, text] of [
        ["--env=CMS_JOB=1", /env: "CMS_JOB" cannot be used: use a variable's name/],
        ["--env=IFS=x", /env: "IFS" cannot be used: use a variable's name/],
        [
          "--env=NOT_SET_HERE",
          /Cannot take NOT_SET_HERE from your environment: it is not set there; give NOT_SET_HERE=VALUE/,
        ],
        ["--env==x", /Give NAME=VALUE/],
        ["--workdir=a\nb", /workdir: .* it holds a control character/],
        ["--workdir=~pi/x", /workdir: .* give a directory on the host, absolute or below the home directory there/],
      ] as const
    ) {
      const { out, err, status } = await run("queue", "add", "a", "--name=z", "--command=true", word);
      assert.deepEqual([out, status], ["", 2], word);
      assert.match(err, text);
    }
    await Deno.writeTextFile(file, before.replace("YY:", "IFS:"));
    assert.match(
      (await run("queue", "list", "a")).err,
      /a-queue.yaml:\d+: job "x": env is not valid: "IFS" cannot be used/,
    );
  }, { HOME: "/home/me" });
});

Deno.test("a job of a list has its place in it where it wants to know, and a plain one has not", async () => {
  await withPlace(async ({ ok, deps }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=plain[1-3]", "--command=true");
    await ok("queue", "add", "a", "--name=named[1-3]", "--command=echo $CMS_INDEX");
    await ok("queue", "add", "a", "--name=swept-{#}", "--command=true", "--param=x=7,8");
    const jobs = await listJobs(deps, { queue: queueRef(deps, { queue: "a" }) });
    const of = (name: RegExp) => jobs.filter((job) => name.test(job.name)).map(({ index }) => index);
    assert.deepEqual([of(/plain/), of(/named/), of(/swept/)], [[undefined, undefined, undefined], [1, 2, 3], [1, 2]]);
  });
});

Deno.test("cluster add and set take variables for hosts, one by one, and an empty value takes one out", async () => {
  await withPlace(async ({ ok, run, deps, directory }) => {
    await ok("cluster", "create", "a");
    const file = `${directory}/experiment/a-cluster.yaml`;
    await ok("cluster", "add", "a", "--id=plain", "--name=red", "--user=pi");
    assert.doesNotMatch(await Deno.readTextFile(file), /^ {2}env/m);
    await ok("cluster", "add", "a", "--id=h[1-2]", "--name=red", "--user=pi", "--env", "A=1", "--env=B=2");
    await ok("cluster", "set", "a", "--id=h1", "--env", "A=", "--env=C=3 4");
    await ok("cluster", "set", "a", "--id=h2", "--key=env.D", "--value=5");
    await ok("cluster", "set", "a", "--id=plain", "--key=gpu", "--value=0", "--env=E=6");
    const hosts = async () => {
      const all = await listHosts(deps, { cluster: clusterRef(deps, { cluster: "a" }) });
      return Object.fromEntries(all.map(({ id, env }) => [id, env ?? null]));
    };
    const now = { plain: { E: "6" }, h1: { B: "2", C: "3 4" }, h2: { A: "1", B: "2", D: "5" } };
    assert.deepEqual(await hosts(), now);
    for (
      const [words, text] of [
        [["--env=CMS_X=1"], /env: "CMS_X" cannot be used: use a variable's name/],
        [["--key=env.IFS", "--value="], /env: "IFS" cannot be used/],
        [["--key=env", "--value=A=1"], /give env.NAME as the key/],
        [["--env=A=1", "--key=gpu"], /Required option '--value <value>' not specified/],
        [[], /Required option '--key <key>' not specified/],
      ] as const
    ) {
      const { err, status } = await run("cluster", "set", "a", "--id=h1", ...words);
      assert.equal(status, 2, words.join());
      assert.match(err, text);
    }
    assert.deepEqual(await hosts(), now);
    await ok("cluster", "set", "a", "--id=h[1-2]", "--key=env", "--value=");
    await ok("cluster", "set", "a", "--id=plain", "--env=E=");
    assert.doesNotMatch(await Deno.readTextFile(file), /^ {2}env/m);
  });
});

Deno.test("REST takes the variables of jobs and hosts in a query, a body and a change", async () => {
  await withService(async ({ ask, json }) => {
    await ask("POST /queue/?name=a");
    await ask("POST /cluster/?name=c");
    const query = new URLSearchParams([["name", "x"], ["command", "true"], ["env", "A=1=2"], ["env", "B="], [
      "workdir",
      "w",
    ]]);
    assert.equal((await ask(`POST /queue/a?${query}`)).status, 200);
    const { env, workdir } = await json("GET /queue/a/job/x");
    assert.deepEqual([env, workdir], [{ A: "1=2", B: "" }, "w"]);
    const changed = await json("PATCH /queue/a/job/x", { json: { env: { C: "\n'" }, workdir: null } });
    assert.deepEqual([changed.env, changed.workdir], [{ C: "\n'" }, null]);
    // There is no caller's environment here.
    assert.equal((await ask("POST /queue/a?name=y&command=true&env=HOME")).status, 422);
    assert.equal((await ask("POST /queue/a?name=y&command=true&env=CMS_JOB%3D1")).status, 422);
    const hosts = [{ id: "h[1-2]", name: "red", user: "pi", env: { A: "1" } }];
    assert.equal((await ask("POST /cluster/c/hosts", { json: { hosts } })).status, 200);
    assert.deepEqual((await json("GET /cluster/c/id/h1")).env, { A: "1" });
    assert.deepEqual((await json("PATCH /cluster/c/id/h1", { json: { env: { B: "" }, gpu: "0" } })).env, { B: "" });
    assert.equal((await json("PATCH /cluster/c/id/h1", { json: { env: null } })).env ?? null, null);
    assert.equal((await ask("PATCH /cluster/c/id/h1", { json: { env: { IFS: "x" } } })).status, 422);
    assert.equal((await ask("PUT /cluster/c/id/h2/set?key=env.Z&value=9")).status, 200);
    assert.deepEqual((await json("GET /cluster/c/id/h2")).env, { A: "1", Z: "9" });
  });
});
