/**
 * The real server: what it holds open for whom, and for how long. A limit of the server is waited for, never measured.
 */
import assert from "node:assert/strict";
import type { ServeOptions, Server } from "../src/deps.ts";
import { realDeps } from "../src/deps_real.ts";
import { certificateFor } from "../testing/certificate.ts";
import { needTest, whyNoPrograms } from "../testing/need.ts";
import { waitUntil } from "../testing/wait.ts";

const LIMIT_MS = 20_000;
const HEAD = "GET / HTTP/1.1\r\nHost: localhost\r\n";
/** More than a system takes for a client that does not read. */
const LARGE = 32 * 1024 * 1024;

type Handler = (request: Request, remote: string) => Response | Promise<Response>;

async function withServer(
  options: Partial<ServeOptions>,
  use: (server: Server) => Promise<void>,
  handler: Handler = () => new Response("hello"),
): Promise<void> {
  const server = await realDeps().serve!({ hostname: "127.0.0.1", port: 0, ...options }, handler);
  try {
    await use(server);
  } finally {
    await server.shutdown();
  }
}

function connect({ port }: Server): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/**
 * Sends a text and reads until the server closes, which it has to. Calls `meanwhile` with what came, after each piece.
 */
async function untilCut(connection: Deno.Conn, text: string): Promise<string> {
  let said = "";
  const limit = setTimeout(() => connection.close(), LIMIT_MS);
  try {
    await connection.write(new TextEncoder().encode(text));
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(64 * 1024);
    for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
      said += decoder.decode(buffer.subarray(0, n), { stream: true });
    }
  } catch (error) {
    if (error instanceof Deno.errors.BadResource) throw new Error(`Not cut off; it said: ${said}`, { cause: error });
    // Cut off without a word.
  } finally {
    clearTimeout(limit);
    try {
      connection.close();
    } catch { /* the limit has done it */ }
  }
  return said;
}

/** Writes a byte again and again until that fails. */
async function trickle(connection: Deno.Conn, text: string): Promise<void> {
  await waitUntil("the end of the connection", async () => {
    try {
      await connection.write(new TextEncoder().encode(text));
      return false;
    } catch {
      return true;
    }
  }, { limitMs: LIMIT_MS });
}

Deno.test("a client that says nothing, half a head, or trickles one is cut off; others are answered meanwhile", async () => {
  await withServer({ limits: { headMs: 400 } }, async (server) => {
    const texts = ["", HEAD, "GET / HT", `${HEAD}X: `];
    const cut = texts.map(async (text) => await untilCut(await connect(server), text));
    const trickling = [`${HEAD}X: `, HEAD].map(async (text, i) => {
      const connection = await connect(server);
      const end = untilCut(connection, text);
      await Promise.all([trickle(connection, i === 0 ? "y" : "X: y\r\n"), end]);
      return await end;
    });
    assert.equal(await (await fetch(`http://127.0.0.1:${server.port}/`)).text(), "hello");
    for (const said of await Promise.all([...cut, ...trickling])) assert.match(said, /^(HTTP\/1\.1 408 |$)/);
  });
});

Deno.test("hundreds of idle connections keep nobody out, and are closed", async () => {
  await withServer({ limits: { headMs: 1000 } }, async (server) => {
    const idle = await Promise.all(Array.from({ length: 300 }, () => connect(server)));
    const ends = idle.map((connection) => untilCut(connection, ""));
    assert.equal(await (await fetch(`http://127.0.0.1:${server.port}/`)).text(), "hello");
    await Promise.all(ends);
  });
});

Deno.test("a connection is closed when it stays idle after a request, also amid the head of the next", async () => {
  await withServer({ limits: { headMs: 400, idleMs: 400 } }, async (server) => {
    for (const next of ["", "GET / HT"]) {
      const said = await untilCut(await connect(server), `${HEAD}\r\n${next}`);
      assert.match(said, /^HTTP\/1\.1 200 [^]*hello/);
    }
  });
});

Deno.test("who holds connections in silence keeps nobody out: those that were silent longest go", async () => {
  await withServer({ limits: { connections: 16 } }, async (server) => {
    const silent: Deno.Conn[] = [];
    for (let i = 0; i < 40; i++) {
      silent.push(await connect(server));
      if (i % 10 === 0) {
        assert.match(await untilCut(await connect(server), `${HEAD}Connection: close\r\n\r\n`), /hello/);
      }
    }
    assert.equal(await untilCut(silent[0]!, ""), "");
    for (const connection of silent.slice(1)) connection.close();
  });
});

Deno.test("connections beyond the most are closed while all others are worked on, and room comes back with their end", async () => {
  const gate = Promise.withResolvers<void>();
  let handled = 0;
  await withServer({ limits: { connections: 3 } }, async (server) => {
    const held: Deno.Conn[] = [];
    for (const count of [1, 2, 3]) {
      held.push(await connect(server));
      await held.at(-1)!.write(new TextEncoder().encode(`${HEAD}\r\n`));
      await waitUntil("the request", () => handled === count);
    }
    assert.equal(await untilCut(await connect(server), ""), "");
    gate.resolve();
    for (const connection of held) connection.close();
    await waitUntil(
      "room",
      async () => /hello/.test(await untilCut(await connect(server), `${HEAD}Connection: close\r\n\r\n`)),
    );
  }, async () => {
    handled++;
    await gate.promise;
    return new Response("hello");
  });
});

Deno.test("a client that does not take its reply, or only drop by drop, is cut off; one that does gets it whole", async () => {
  let taken = 0;
  const handler = () => {
    taken++;
    return new Response(new Uint8Array(LARGE));
  };
  // With the limits that are shipped: a busy machine is slow to take it, too.
  await withServer({}, async (server) => {
    const reply = await fetch(`http://127.0.0.1:${server.port}/`);
    assert.equal((await reply.arrayBuffer()).byteLength, LARGE);
  }, handler);
  await withServer({ limits: { replyMs: 400, replyBytesPerSecond: 1e9 } }, async (server) => {
    for (const isDripping of [false, true]) {
      const before = taken;
      const connection = await connect(server);
      await connection.write(new TextEncoder().encode(`${HEAD}\r\n`));
      await waitUntil("the request", () => taken > before);
      if (isDripping) await dripUntilCut(connection);
      else await trickle(connection, "\r\n");
      // What the system had taken for it may still come, and then the end.
      assert.ok((await untilCut(connection, "")).length < LARGE);
    }
  }, handler);
});

Deno.test("where more replies wait than may, the oldest is cut off, and the newest comes whole", async () => {
  const large = new Uint8Array(LARGE);
  const handler: Handler = () => new Response(large);
  await withServer({ limits: { replyBytes: 2 * LARGE } }, async (server) => {
    const waiting: Deno.TcpConn[] = [];
    const buffer = new Uint8Array(1);
    for (let i = 0; i < 4; i++) {
      const connection = await connect(server);
      waiting.push(connection);
      await connection.write(new TextEncoder().encode(`${HEAD}\r\n`));
      await connection.read(buffer);
    }
    const taken = await Promise.all([waiting[0]!, waiting[3]!].map(bytesUntilCut));
    assert.ok(taken[0]! < LARGE && taken[1]! >= LARGE, taken.join());
  }, handler);
});

/** How many bytes still come. */
async function bytesUntilCut(connection: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(1024 * 1024);
  let bytes = 0;
  const limit = setTimeout(() => connection.close(), LIMIT_MS);
  try {
    for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
      bytes += n;
      if (bytes >= LARGE) break;
    }
  } catch { /* cut off */ }
  clearTimeout(limit);
  try {
    connection.close();
  } catch { /* the limit has done it */ }
  return bytes;
}

/** Takes a few bytes again and again until the connection has gone, which a write tells. */
async function dripUntilCut(connection: Deno.Conn): Promise<void> {
  const few = new Uint8Array(16);
  await waitUntil("the end of the connection", async () => {
    try {
      await connection.read(few);
      await connection.write(new TextEncoder().encode("\r\n"));
      return false;
    } catch {
      return true;
    }
  }, { limitMs: LIMIT_MS });
}

Deno.test("events go on beyond the limits of a reply, and their end is told when the client goes", async () => {
  let next: (() => void) | undefined;
  let isCancelled = false;
  await withServer({ limits: { replyMs: 100, headMs: 100, idleMs: 100 } }, async (server) => {
    const reply = await fetch(`http://127.0.0.1:${server.port}/`);
    const reader = reply.body!.getReader();
    // Another client is cut off for its slowness meanwhile, so that the limits have passed.
    await untilCut(await connect(server), "");
    await untilCut(await connect(server), "");
    next!();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "data: x\n\n");
    await reader.cancel();
    await waitUntil("the server to know", () => isCancelled);
    // A stream that breaks off is cut off, without a word to anybody.
    const printed: unknown[] = [];
    const { console: printer } = globalThis;
    const { error } = printer;
    printer.error = (...words) => void printed.push(words);
    const text = await untilCut(await connect(server), "GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n")
      .finally(() => printer.error = error);
    assert.deepEqual(printed, []);
    assert.match(text, /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(text, /too slow/);
  }, ({ url }) =>
    new Response(
      new ReadableStream({
        start: (controller) => {
          next = () => controller.enqueue(new TextEncoder().encode("data: x\n\n"));
          controller.enqueue(new TextEncoder().encode(""));
          if (url.endsWith("/broken")) controller.error(new Error("too slow"));
        },
        cancel: () => void (isCancelled = true),
      }),
      { headers: { "content-type": "text/event-stream" } },
    ));
});

Deno.test("what is no request is answered in HTTP and closed: two hosts, CONNECT, a head that is too big, nonsense", async () => {
  let handled = 0;
  await withServer({}, async (server) => {
    const cases: [text: string, reply: RegExp][] = [
      [`${HEAD}Host: evil.example\r\n\r\n`, /^HTTP\/1\.1 400 /],
      ["GET / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
      ["CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", /^HTTP\/1\.1 405 /],
      [`${HEAD}X: ${"y".repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
      ["\x16\x03\x01", /^HTTP\/1\.1 400 /],
      [`${HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ];
    for (const [text, reply] of cases) assert.match(await untilCut(await connect(server), text), reply);
  }, () => {
    handled++;
    return new Response("hello");
  });
  assert.equal(handled, 0);
});

Deno.test("shutdown lets what was begun be answered, and takes nothing new", async () => {
  const gate = Promise.withResolvers<void>();
  let remote = "";
  const server = await realDeps().serve!({ hostname: "127.0.0.1", port: 0 }, async (_request, from) => {
    remote = from;
    await gate.promise;
    return new Response("late");
  });
  const idle = await connect(server);
  const reply = fetch(`http://127.0.0.1:${server.port}/`);
  await waitUntil("the request", () => remote !== "");
  const ended = server.shutdown();
  await assert.rejects(connect(server), Deno.errors.ConnectionRefused);
  gate.resolve();
  assert.equal(await (await reply).text(), "late");
  assert.equal(remote, "127.0.0.1");
  idle.close();
  await ended;
});

Deno.test("an address that cannot be had rejects with the system's code", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  await assert.rejects(realDeps().serve!({ hostname: "127.0.0.1", port }, () => new Response()), {
    code: "EADDRINUSE",
  });
  // Node says EADDRNOTAVAIL.
  await assert.rejects(realDeps().serve!({ hostname: "192.0.2.1", port: 0 }, () => new Response()), { code: "EINVAL" });
});

needTest(
  "silent TLS handshakes keep nobody out: those that are silent longest go",
  whyNoPrograms("openssl"),
  async () => {
    const { cert, key } = await certificateFor("localhost");
    await withServer({ cert, key, limits: { connections: 16 } }, async (server) => {
      const silent: Deno.Conn[] = [];
      for (let i = 0; i < 40; i++) silent.push(await connect(server));
      const tls = await Deno.connectTls({ hostname: "localhost", port: server.port, caCerts: [cert] });
      assert.match(await untilCut(tls, `${HEAD}Connection: close\r\n\r\n`), /hello/);
      assert.equal(await untilCut(silent[0]!, ""), "");
      for (const connection of silent.slice(1)) connection.close();
    });
  },
);

needTest("clients come by TLS; a handshake that does not come is cut off", whyNoPrograms("openssl"), async () => {
  const { cert, key } = await certificateFor("localhost");
  await withServer({ cert, key, limits: { headMs: 400 } }, async (server) => {
    const cut = ["", "\x16\x03\x01\x02\x00"].map(async (text) => await untilCut(await connect(server), text));
    const tls = () => Deno.connectTls({ hostname: "localhost", port: server.port, caCerts: [cert] });
    assert.match(
      await untilCut(await tls(), `${HEAD}Connection: close\r\n\r\n`),
      /^HTTP\/1\.1 200 [^]*https:\/\/localhost\//,
    );
    assert.match(await untilCut(await tls(), HEAD), /^HTTP\/1\.1 408 /);
    assert.ok(!/hello/.test((await Promise.all(cut)).join()));
    assert.doesNotMatch(await untilCut(await connect(server), `${HEAD}\r\n`), /hello|https:/);
  }, ({ url }) => new Response(url));
});
