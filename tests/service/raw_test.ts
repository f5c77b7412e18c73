/** Requests as no client library writes them, through a socket. */
import assert from "node:assert/strict";
import { realDeps } from "../../src/deps_real.ts";
import { snapshotOf } from "./snapshot.ts";
import { RIGHT } from "../../testing/service/service.ts";
import { furnish, SECRET, withTrap } from "./trap.ts";

const LIMIT_MS = 10_000;

Deno.test("requests with odd targets, methods and heads neither get through nor end the server", async () => {
  await withTrap(async (t, outside) => {
    await furnish(t);
    const before = await snapshotOf(outside, "served");
    const server = await realDeps().serve!(
      { hostname: "127.0.0.1", port: 0 },
      (request, remote) => t.app.fetch(request, { remote }),
    );
    try {
      const { port } = server;
      const targets = [
        "/docs/../queue/a",
        "/docs/%2e%2e/queue/a",
        "/docs/..%2fqueue/a",
        "//queue/a",
        "/healthz/../queue/a",
        "/./queue/a",
        "/queue/a/../a",
        "http://localhost/queue/a",
        "http://evil.example/queue/a",
        "*",
        "/docs/%00",
        "/docs/%ff",
        "/queue/%",
        "/docs\\..\\queue/a",
        "/queue/a#/docs",
        "/docs?/../queue/a",
        "/queue/a;/docs/",
        "/openapi.json/../queue/",
      ];
      for (const target of targets) {
        for (const method of ["GET", "POST", "TRACE", "CONNECT"]) {
          const open = await raw(port, `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n`);
          assert.match(open, /^HTTP\/1\.1 [234]/, `${method} ${target}`);
          const isDocs = /^HTTP\/1\.1 200/.test(open) && /^\/docs\?/.test(target);
          assert.ok(isDocs || !/^HTTP\/1\.1 2/.test(open), `${method} ${target} without credentials: ${open}`);
          assert.ok(!open.includes("job1"), open);
          const right = await raw(
            port,
            `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${RIGHT}\r\n`,
          );
          assert.match(right, /^HTTP\/1\.1 [234]/, `${method} ${target}`);
          assert.ok(!right.includes(SECRET), `${method} ${target}: ${right}`);
        }
      }
      for (
        const head of [
          "GET /queue/a HTTP/1.1\r\n",
          "GET /queue/a HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n",
          "GET  /queue/a\r\n",
          "\0\r\n",
          "POST /queue/a/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n",
          "POST /queue/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        ]
      ) {
        const reply = await raw(port, head);
        assert.ok(!/^HTTP\/1\.1 [25]/.test(reply), `${head}: ${reply}`);
      }
      const alive = await raw(port, `GET /queue/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${RIGHT}\r\n`);
      assert.match(alive, /^HTTP\/1\.1 200 [^]*job1/);
      assert.deepEqual(await snapshotOf(outside, "served"), before);
    } finally {
      await server.shutdown();
    }
  });
});

/** Sends a head as it is and reads all that comes until the server closes. */
async function raw(port: number, head: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(`${head}Connection: close\r\n\r\n`));
  // A server that waits for more would be waited for.
  const limit = setTimeout(() => connection.close(), LIMIT_MS);
  const decoder = new TextDecoder();
  let text = "";
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
      text += decoder.decode(buffer.subarray(0, n), { stream: true });
    }
  } catch (error) {
    if (error instanceof Deno.errors.BadResource) throw new Error(`No end of the answer to ${head}`, { cause: error });
    // Cut off, which is an answer too.
  } finally {
    clearTimeout(limit);
    try {
      connection.close();
    } catch { /* the limit has done it */ }
  }
  return text;
}
