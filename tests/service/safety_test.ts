/** Who may use the service and how: credentials on every operation, where requests come from, bounds, places. */
import assert from "node:assert/strict";
import { SlowDown } from "../../src/service/slow_down.ts";
import { waitUntil } from "../../testing/wait.ts";
import { OPERATIONS, targetOf } from "./operations.ts";
import { RIGHT, withService } from "../../testing/service/service.ts";

const CHALLENGE = 'Basic realm="Cloudmesh Queue", charset="UTF-8"';

Deno.test("every operation answers 401 without credentials and with wrong ones, and does nothing", async () => {
  await withService(async ({ ask, directory }) => {
    assert.equal(OPERATIONS.length, 26);
    const wrong = [
      "",
      "Basic",
      "Basic !",
      `Basic ${btoa("pi:red berr")}`,
      `Basic ${btoa("pi")}`,
      RIGHT.slice(6),
      "Bearer x",
    ];
    for (const [i, { method, path }] of OPERATIONS.entries()) {
      for (const authorization of ["", wrong[i % wrong.length]!, `Basic ${btoa("x:red berry")}`]) {
        // An address for each: failures of one would be slowed down.
        const reply = await ask(`${method} ${targetOf(path)}`, { headers: { authorization }, remote: `10.0.0.${i}` });
        assert.deepEqual([path, reply.status], [path, 401]);
        assert.equal(reply.headers.get("www-authenticate"), CHALLENGE);
      }
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
  });
});

Deno.test("the health check and the documentation need no credentials", async () => {
  await withService(async ({ ask }) => {
    for (const path of ["/healthz", "/docs", "/openapi.json", "/docs/start.js"]) {
      const reply = await ask(`GET ${path}`, { headers: { authorization: "" } });
      assert.deepEqual([path, reply.status], [path, 200]);
    }
    for (const path of ["/nosuch", "/metrics", "/events", "/docs2", "/healthz/x"]) {
      const reply = await ask(`GET ${path}`, { headers: { authorization: "" } });
      assert.deepEqual([path, reply.status], [path, 401]);
    }
  });
});

Deno.test("who fails often waits longer for each refusal and has few open; the right password gets in, and ends nothing", async () => {
  const waits: { ms: number; go: () => void }[] = [];
  await withService(async ({ ask }) => {
    const bad = (remote: string) => ask("GET /", { headers: { authorization: `Basic ${btoa("a:b")}` }, remote });
    for (let i = 0; i < 10; i++) assert.equal((await bad("10.0.0.1")).status, 401);
    assert.equal(waits.length, 0);
    const open = Array.from({ length: 8 }, () => bad("10.0.0.1"));
    await waitUntil("eight pauses", () => waits.length === 8);
    assert.deepEqual(waits.map(({ ms }) => ms), [20, 40, 80, 160, 320, 640, 1000, 1000]);
    assert.equal((await bad("10.0.0.1")).status, 429);
    assert.equal((await ask("GET /", { remote: "10.0.0.1" })).status, 200);
    assert.equal((await ask("GET /", { remote: "10.0.0.2" })).status, 200);
    assert.equal((await bad("10.0.0.1")).status, 429, "a success gives no attempts back");
    for (const { go } of waits) go();
    assert.deepEqual(new Set((await Promise.all(open)).map((reply) => reply.status)), new Set([401]));
    const late = bad("10.0.0.1");
    await waitUntil("a pause", () => waits.length === 9);
    assert.equal(waits[8]!.ms, 1000, "nor does time that has not passed");
    waits[8]!.go();
    assert.equal((await late).status, 401);
  }, ({ deps }) => ({
    deps: {
      ...deps,
      clock: {
        now: () => 0,
        epochMs: () => 0,
        sleepUntil: (atMs) => new Promise((go) => waits.push({ ms: atMs, go })),
      },
    },
  }));
});

Deno.test("failures are bounded over all addresses, those of a network of IPv6 count as one, and time alone forgets", async () => {
  let nowMs = 0;
  const slowDown = new SlowDown({
    now: () => nowMs,
    epochMs: () => nowMs,
    sleepUntil: (atMs) => Promise.resolve(void (slept += atMs - nowMs)),
  });
  let slept = 0;
  const fail = async (address: string, hasBody = false) => {
    slept = 0;
    return { isTold: await slowDown.failed(address, new AbortController().signal, hasBody), slept };
  };
  for (let i = 0; i < 10; i++) assert.deepEqual(await fail(`2001:db8::${i}`), { isTold: true, slept: 0 });
  assert.deepEqual(await fail("2001:db8::ffff"), { isTold: true, slept: 20 });
  assert.deepEqual(await fail("2001:db8:0:0:1::"), { isTold: true, slept: 40 });
  assert.deepEqual(await fail("2001:db8:1::"), { isTold: true, slept: 0 });
  for (let i = 13; i < 100; i++) assert.deepEqual(await fail(`127.0.0.${i}`), { isTold: true, slept: 0 });
  assert.deepEqual(await fail("127.0.1.1"), { isTold: true, slept: 20 }, "no free attempt is left to anybody");
  assert.deepEqual(await fail("127.0.1.2", true), { isTold: false, slept: 0 }, "what waits holds no body");
  nowMs += 200_000;
  assert.deepEqual(await fail("127.0.1.3"), { isTold: true, slept: 0 });
  assert.deepEqual(await fail("2001:db8::"), { isTold: true, slept: 80 });
  nowMs += 16 * 60_000;
  assert.deepEqual(await fail("2001:db8::"), { isTold: true, slept: 0 });
});

Deno.test("web pages of others are refused by Host, Origin and Sec-Fetch-Site", async () => {
  await withService(async ({ ask }) => {
    const cases: [headers: Record<string, string>, status: number][] = [
      [{ host: "127.0.0.1:8000" }, 200],
      [{ host: "localhost:8000" }, 200],
      [{ host: "[::1]:8000" }, 200],
      [{ host: "jobs.example.org" }, 200],
      [{ host: "evil.example" }, 403],
      [{ host: "127.0.0.1.evil.example" }, 403],
      [{ host: "127.0.0.1:8000", origin: "http://127.0.0.1:8000" }, 200],
      [{ host: "jobs.example.org", origin: "https://jobs.example.org" }, 200],
      [{ host: "127.0.0.1:8000", origin: "http://127.0.0.1:9000" }, 403],
      [{ host: "127.0.0.1:8000", origin: "http://evil.example" }, 403],
      [{ host: "127.0.0.1:8000", origin: "null" }, 403],
      [{ host: "127.0.0.1:8000", "sec-fetch-site": "same-origin" }, 200],
      [{ host: "127.0.0.1:8000", "sec-fetch-site": "cross-site" }, 403],
      [{ host: "127.0.0.1:8000", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, 200],
    ];
    for (const [headers, status] of cases) {
      assert.deepEqual([headers, (await ask("GET /", { headers })).status], [headers, status]);
    }
    const follow = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    assert.equal((await ask("POST /queue/?name=a", { headers: follow })).status, 403);
  }, () => ({ hosts: ["jobs.example.org"] }));
});

Deno.test("an experiment is a relative path below the served directory, wherever links lead", async () => {
  await withService(async ({ ask, directory, text }) => {
    const outside = await Deno.makeTempDir({ prefix: "cms-outside-" });
    try {
      await Deno.symlink(outside, `${directory}/out`);
      await Deno.mkdir(`${directory}/inner`);
      await Deno.symlink(`${directory}/inner`, `${directory}/in`);
      await Deno.writeTextFile(`${directory}/file`, "x");
      const bad = [
        "/etc",
        "..",
        "a/../..",
        "../x",
        "out",
        "out/deeper",
        "",
        "~",
        "-x",
        "a%00b",
        "file",
        "file/x",
        "a%0Ab",
      ];
      for (const experiment of [...bad, "x".repeat(300), "x/".repeat(600)]) {
        for (const line of ["GET /queue/?", "POST /queue/?name=a&", "GET /queue/a?", "POST /cluster/?name=a&"]) {
          const reply = await ask(`${line}experiment=${experiment}`);
          assert.deepEqual([line, experiment, reply.status], [line, experiment, 422]);
        }
      }
      assert.deepEqual(await Array.fromAsync(Deno.readDir(outside)), []);
      assert.equal(await text("POST /queue/?name=a&experiment=in"), "{}");
      assert.equal((await Deno.stat(`${directory}/inner/a-queue.yaml`)).isFile, true);
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  });
});

Deno.test("bodies, headers and addresses that are too big are refused", async () => {
  await withService(async ({ ask, app }) => {
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(1024 * 1024))),
    });
    const big = await app.request("/queue/a/jobs", {
      method: "POST",
      body,
      headers: { authorization: RIGHT, "content-type": "application/json" },
    });
    assert.equal(big.status, 413);
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`x-${i}`, "1"]));
    assert.equal((await ask("GET /", { headers: many })).status, 431);
    assert.equal((await ask(`GET /?x=${"y".repeat(20_000)}`)).status, 414);
    assert.equal((await ask("POST /queue/?name=a")).status, 200);
  });
});

Deno.test("every reply has the security headers, also those that refuse", async () => {
  await withService(async ({ ask }) => {
    for (const line of ["GET /", "GET /nosuch", "GET /docs", "POST /queue/"]) {
      for (const headers of [{}, { authorization: "" }, { host: "evil.example" }] as Record<string, string>[]) {
        const reply = await ask(line, { headers });
        assert.match(reply.headers.get("content-security-policy") ?? "", /default-src 'none'/);
        assert.doesNotMatch(reply.headers.get("content-security-policy") ?? "", /script-src[^;]*unsafe/);
        assert.equal(reply.headers.get("x-content-type-options"), "nosniff");
        assert.equal(reply.headers.get("x-frame-options"), "DENY");
      }
    }
  });
});

Deno.test("the access log has one entry for each request, without the query", async () => {
  await withService(async ({ ask, accesses }) => {
    await ask("POST /queue/?name=a");
    await ask("GET /queue/b", { headers: { authorization: "" }, remote: "10.0.0.9" });
    assert.deepEqual(accesses.map(({ remote, user, method, path, status }) => [remote, user, method, path, status]), [
      ["127.0.0.1", "pi", "POST", "/queue/", 200],
      ["10.0.0.9", "-", "GET", "/queue/b", 401],
    ]);
  });
});
