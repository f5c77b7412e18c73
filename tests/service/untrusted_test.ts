/**
 * What a user may send, and what may lie below the served directory: the executable answers each with a plain line, and
 * goes on.
 */
import assert from "node:assert/strict";
import { realDeps } from "../../src/deps_real.ts";
import { asksHosts } from "../../src/service/guard.ts";
import { documentOf } from "../../src/service/openapi.ts";
import { compiledCms } from "../../testing/compiled.ts";
import { waitUntil } from "../../testing/wait.ts";
import { type Started, withStarted } from "../../testing/service/started.ts";
import { RIGHT } from "../../testing/service/service.ts";

type Send = (line: string, body?: string | Uint8Array) => Promise<{ status: number; text: string }>;

/** Calls `use` with a service of the executable. A reply that does not come fails the test. */
async function withCompiled(use: (send: Send, service: Started) => Promise<void>): Promise<void> {
  const cms = await compiledCms();
  const use2 = async (service: Started) => {
    const send: Send = async (line, body) => {
      const [method = "", target = ""] = line.split(/ (.*)/s);
      const headers = { authorization: RIGHT, ...(body === undefined ? {} : { "content-type": "application/json" }) };
      const init = { method, headers, signal: AbortSignal.timeout(30_000), ...(body === undefined ? {} : { body }) };
      const reply = await fetch(service.url + target, init as RequestInit);
      return { status: reply.status, text: await reply.text() };
    };
    await use(send, service);
  };
  await withStarted(use2, [], [cms]);
}

/** A queue with a job that is over. */
const OVER = "job1: {name: job1, id: a1, status: end, command: x, user: me, host: localhost, attempt: 1}\n";

/** Every operation on a queue or cluster of this name that answers by itself and asks no host. */
function operationsOn(name: string): string[] {
  const { paths } = documentOf(realDeps()) as {
    paths: Record<string, Record<string, { parameters?: { in: string; name: string; required?: boolean }[] }>>;
  };
  const lines = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [] }]) => {
      const target = path.replace(/\{(queue|cluster)\}/, name).replace("{job}", "job1").replaceAll(/\{\w+\}/g, "h1");
      const words = parameters.filter((one) => one.in === "query" && one.required).map((one) => `${one.name}=1`);
      const more = /\/(wait|drain)$/.test(path) ? ["timeout=1"] : path.endsWith("/plan") ? ["max_parallel=1"] : [];
      return `${method.toUpperCase()} ${target}?${[...words, ...more].join("&")}`;
    })
  );
  const isQuiet = (line: string) => !asksHosts(...line.replace(/\?.*/, "").split(" ") as [string, string]);
  return lines.filter((line) => line.includes(`/${name}`) && !/\/(live|run_\w+)\?/.test(line) && isQuiet(line));
}

/** A job or many as JSON. */
function jobs(...specs: object[]): string {
  return JSON.stringify({ jobs: specs.map((spec) => ({ command: "true", ...spec })) });
}

Deno.test("the executable refuses at once what would unfold to gigabytes, or be matched for minutes", async () => {
  await withCompiled(async (send) => {
    const long = "x".repeat(99_000);
    const colons = ":".repeat(99_990);
    for (
      const body of [
        jobs({ name: `a[1-100000]${long}` }),
        jobs({ name: Array(7_000).fill("a[1-100000]").join(",") }),
        jobs({ name: `${"[1-2]".repeat(16)}${"[1]".repeat(30_000)}` }),
        jobs({ name: "a[1-100000]", command: long }),
        jobs({ name: "a[1-100000]", command: long.slice(0, 10_000) }),
        jobs(...Array(1_000).fill({ name: "a[1-100000]" })),
        jobs(...Array(10_000).fill({ name: "-[1-100000]" })),
        jobs(...Array(100).fill({ name: "a", host: colons })),
        jobs(...Array(100).fill({ name: "a", host: `0${colons}z` })),
      ]
    ) {
      const { status, text } = await send("POST /queue/a/jobs", body);
      assert.equal(status, 422, text.slice(0, 300));
      assert.ok(text.length < 20_000, "a refusal is short");
    }
    // Names of a list are as long as all that stands beside its brackets.
    const list = `a[1-100000]${"x".repeat(15_000)}`;
    for (const line of ["PUT /queue/a/hold", "DELETE /queue/a/jobs", "GET /queue/a/wait", "PUT /queue/a/kill"]) {
      const { status, text } = await send(`${line}?name=${list}`);
      assert.match(`${status} ${text}`, /^422 .*a name of it has more than 600 characters/);
    }
    assert.equal((await send("GET /queue/a")).text, "{}");
    // Hex digits and one more: read again with each request.
    assert.equal(
      (await send("POST /queue/a/jobs", jobs({ name: "hex", command: `0${"a".repeat(99_980)}z` }))).status,
      200,
    );
    for (let i = 0; i < 3; i++) assert.equal((await send("GET /queue/a")).status, 200);
  });
});

Deno.test("a name of a queue or cluster is stripped once, and one that means two cannot be made", async () => {
  await withCompiled(async (send, { directory }) => {
    for (const kind of ["queue", "cluster"]) {
      assert.equal((await send(`POST /${kind}/?name=b-${kind}.yaml`)).status, 200);
      const { status, text } = await send(`POST /${kind}/?name=b-${kind}.yaml-${kind}.yaml`);
      assert.equal(status, 422, text);
      Deno.writeTextFileSync(`${directory}/experiment/b-${kind}.yaml-${kind}.yaml`, "{}\n");
      assert.doesNotMatch((await send(`GET /${kind}/`)).text, /yaml-/);
    }
    assert.equal((await send("PUT /queue/a-queue.yaml-queue.yaml/run_fifo?max_parallel=1")).status, 422);
    assert.match((await send("PUT /queue/ran")).text, /No ran queues/);
  });
});

Deno.test("files below the served directory that are no regular files of it are refused, and stop nothing", async () => {
  await withCompiled(async (send, { directory, text: service }) => {
    const experiment = `${directory}/experiment`;
    const outside = await Deno.makeTempDir({ prefix: "cms-outside-" });
    try {
      for (const kind of ["queue", "cluster"]) {
        Deno.writeTextFileSync(`${outside}/x-${kind}.yaml`, "secret: {command: secret, name: red, user: pi}\n");
        Deno.symlinkSync(`${outside}/x-${kind}.yaml`, `${experiment}/link-${kind}.yaml`);
        Deno.symlinkSync("/dev/zero", `${experiment}/zero-${kind}.yaml`);
        new Deno.Command("mkfifo", { args: [`${experiment}/fifo-${kind}.yaml`] }).outputSync();
        Deno.writeTextFileSync(`${experiment}/sparse-${kind}.yaml`, "");
        Deno.truncateSync(`${experiment}/sparse-${kind}.yaml`, 20 * 1024 ** 3);
        Deno.mkdirSync(`${experiment}/made-${kind}.yaml/kept`, { recursive: true });
      }
      const words = {
        link: "link out of",
        zero: "link out of",
        fifo: "no regular file",
        sparse: "larger than 256 MiB",
      };
      for (const [name, why] of Object.entries({ ...words, made: "(directory|no regular file)" })) {
        for (
          const line of [
            `GET /queue/${name}`,
            `POST /queue/${name}?name=j&command=true`,
            `PUT /queue/${name}/reset`,
            `PUT /queue/${name}/run_fifo?max_parallel=1`,
            ...["sparse", "made"].includes(name) ? [] : [`GET /queue/${name}/history`, `GET /queue/${name}/live`],
            `GET /queue/${name}/wait?timeout=1`,
            `DELETE /queue/${name}`,
            `GET /cluster/${name}`,
            `POST /cluster/${name}?id=h&name=red&user=pi`,
            `DELETE /cluster/${name}`,
          ]
        ) {
          // A large file may be removed; it is not read for that.
          if (line === "DELETE /cluster/sparse") continue;
          const { status, text } = await send(line);
          assert.equal(status, 500, `${line}: ${text}`);
          assert.match(
            text,
            new RegExp(`experiment/${name}-(queue|cluster).yaml: cannot .*${why}`),
            `${line}: ${text}`,
          );
        }
      }
      // The same for what stands beside a queue, which only some operations look at.
      Deno.writeTextFileSync(`${outside}/other`, "kept\n");
      const sides = ["lock", "journal", "run", "history", "collected", "plan", "pause", "notices", "log", "refusal"];
      for (const [i, side] of sides.entries()) {
        Deno.writeTextFileSync(`${experiment}/${side}-queue.yaml`, OVER);
        const at = `${experiment}/.${side}-queue.${side}`;
        if (i % 3 === 0) Deno.symlinkSync(`${outside}/other`, at);
        else if (i % 3 === 1) new Deno.Command("mkfifo", { args: [at] }).outputSync();
        else Deno.mkdirSync(`${at}/kept`, { recursive: true });
      }
      const names = ["fifo", "made", ...sides];
      await Promise.all(
        names.flatMap((name) => operationsOn(name)).map(async (line) => {
          const { status, text } = await send(line, /^(POST|PATCH)/.test(line) ? "{}" : undefined);
          assert.doesNotMatch(text, /Fault in the program/, line);
          if (status === 500) assert.match(text, /experiment\/[.a-z]+-(queue|cluster)\.\w+: cannot /, line);
        }),
      );
      assert.equal(Deno.readTextFileSync(`${outside}/other`), "kept\n");
      assert.doesNotMatch(service(), /fault/i);
      assert.equal((await send("PUT /queue/ran")).status, 200);
      const { status, text } = await send("GET /metrics");
      assert.equal(status, 200);
      assert.doesNotMatch(text, /queue="(link|zero|fifo)"/);
      assert.match(text, /queue="a"/);
      // An experiment that becomes a link to elsewhere while it is watched.
      Deno.renameSync(experiment, `${directory}/before`);
      Deno.symlinkSync(outside, experiment);
      await waitUntil(
        "the watch to see it",
        async () => !/queue="a"/.test((await send("GET /metrics")).text.replaceAll(/experiment="before".*/g, "")),
      );
      assert.doesNotMatch((await send("GET /metrics")).text, /queue="x"/);
      assert.equal((await send("GET /queue/x")).status, 422);
      assert.ok(Deno.statSync(`${directory}/before/made-cluster.yaml/kept`).isDirectory);
      assert.match(Deno.readTextFileSync(`${outside}/x-cluster.yaml`), /^secret: /);
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  });
});

Deno.test("a job that would write over its script is refused; one that makes a fifo of its log is killed, reset, deleted", async () => {
  await withCompiled(async (send, { directory }) => {
    for (const output of ["job1.bash", "../a-queue.yaml"]) {
      const { status, text } = await send(`POST /queue/a?name=job1&command=true&output=${output}`);
      assert.equal(status, 422, text);
    }
    const command = encodeURIComponent("rm -f odd.log odd.out; mkfifo odd.log odd.out; exec sleep 600");
    const ok = async (line: string) => {
      const { status, text } = await send(line);
      assert.equal(status, 200, `${line}: ${text}`);
    };
    const hasFifos = () => Deno.lstatSync(`${directory}/experiment/odd/odd.out`).isFifo;
    const run = () =>
      waitUntil("the fifos", async () => {
        // A run that is about to end does not start it.
        await send("PUT /queue/a/run_fifo?max_parallel=1");
        return hasFifos();
      }, { limitMs: 30_000 });
    await ok(`POST /queue/a?name=odd&command=${command}&user=me&host=localhost`);
    await run();
    assert.equal((await send("GET /queue/a/job/odd/output")).status, 404);
    await ok("POST /queue/a/job/odd/kill");
    await ok("PUT /queue/a/reset?name=odd");
    await run();
    await ok("PUT /queue/a/reset?name=odd");
    await run();
    await ok("DELETE /queue/a/job/odd");
    assert.equal((await send("GET /queue/a")).text, "{}");
  });
});

Deno.test("what is no UTF-8 is refused and not stored as something else", async () => {
  await withCompiled(async (send) => {
    const body = new TextEncoder().encode(jobs({ name: "a", command: "cat presi?n.mp3" }));
    body[body.indexOf("?".charCodeAt(0))] = 0xf3;
    assert.equal((await send("POST /queue/a/jobs", body)).status, 400);
    assert.equal((await send("POST /queue/a?name=a&command=presi%f3n")).status, 400);
    assert.equal((await send("GET /queue/a")).text, "{}");
    assert.equal((await send("POST /queue/a?name=a&command=date%20%2b%Y%20%C3%A4")).status, 200);
    assert.match((await send("GET /queue/a/job/a")).text, /"command":"date \+%Y ä"/);
  });
});

Deno.test("no queue is made where reset would remove it", async () => {
  await withCompiled(async (send, { directory }) => {
    Deno.mkdirSync(`${directory}/experiment/job1`);
    Deno.writeTextFileSync(`${directory}/experiment/job1/.cms`, "");
    for (const kind of ["queue", "cluster"]) {
      for (const at of ["experiment/job1", "experiment/job1/deeper"]) {
        const { status, text } = await send(`POST /${kind}/?name=b&experiment=${at}`);
        assert.equal(status, 422);
        assert.match(
          text,
          new RegExp(`Cannot make a ${kind} in ${at}: the directory belongs to job job1 and goes with it`),
        );
      }
    }
    assert.deepEqual([...Deno.readDirSync(`${directory}/experiment/job1`)].map(({ name }) => name), [".cms"]);
  });
});

/** So long the service is looked at when nobody asks it anything. */
const IDLE_MS = 3_000;

/** Processor time that a process has taken. */
function processorMs(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /s, "").split(" ");
  // In ticks of a hundredth of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

Deno.test("a watch ends with its directory, and others are watched in its place", async () => {
  await withCompiled(async (send, { directory, pid }) => {
    const make = (name: string) => {
      Deno.mkdirSync(`${directory}/${name}`);
      Deno.writeTextFileSync(`${directory}/${name}/q-queue.yaml`, "{}\n");
    };
    const seen = async () => new Set((await send("GET /metrics")).text.match(/(?<=cms_running\{experiment=")[^"]+/g));
    for (let i = 0; i < 1_000; i++) make(`old${i}`);
    // They are looked at in rounds; who asks waits for a moment only.
    await waitUntil("all to be watched", async () => (await seen()).size >= 999, { limitMs: 60_000 });
    await waitUntil("what nobody asks for to cost nothing", async () => {
      const before = processorMs(pid);
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      return processorMs(pid) - before < IDLE_MS / 100;
    }, { limitMs: 60_000 });
    for (let i = 0; i < 1_000; i++) Deno.removeSync(`${directory}/old${i}`, { recursive: true });
    make("new");
    await waitUntil("the new one to be watched, and no other", async () => {
      return [...await seen()].sort().join() === "experiment,new";
    }, { limitMs: 60_000 });
  });
});
