/** What nobody means well: every operation of the document with random and hostile values, past a socket too. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Connect } from "../../src/link/link.ts";
import { LinkError } from "../../src/errors.ts";
import { documentOf } from "../../src/service/document.ts";
import { realDeps } from "../../src/deps_real.ts";
import { snapshotOf } from "./snapshot.ts";
import { RIGHT, type TestService, withService } from "./support.ts";

/** Stands in files outside; no reply may have it. */
const SECRET = "nobody-may-read-this";
const CHALLENGE = 'Basic realm="Cloudmesh Queue", charset="UTF-8"';
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"];
/** For each operation; more find more. */
const RUNS = Number(Deno.env.get("CMS_TEST_RUNS") ?? 50);
/** For each operation, so that a slow machine does fewer. */
const LIMIT_MS = 1000;

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: { readonly example?: unknown; readonly examples?: readonly unknown[] };
}
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly hasBody: boolean;
  readonly isOpen: boolean;
}
interface Sent {
  readonly method: string;
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

/** The operations as the document has them: one that is added is tested without a word here. */
async function operations(): Promise<Operation[]> {
  type Raw = { parameters?: Parameter[]; requestBody?: unknown; security?: unknown[] };
  const document = JSON.parse(JSON.stringify(await documentOf(realDeps()))) as {
    paths: Record<string, Record<string, Raw>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, security }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      hasBody: requestBody !== undefined,
      isOpen: security?.length === 0,
    }))
  );
}

/** A served directory with a tree of others around it, links that lead there, and no host that can be reached. */
async function withTrap(use: (t: TestService, outside: string) => Promise<void>): Promise<void> {
  const connect: Connect = (machine) => Promise.reject(new LinkError(`${machine.user}@${machine.name}`, "unreachable"));
  let outside = "";
  const change = ({ deps, root }: TestService["service"]) => {
    outside = root;
    const served = `${root}/served`;
    for (const name of ["served/experiment", "experiment", "other"]) {
      Deno.mkdirSync(`${root}/${name}`, { recursive: true });
    }
    for (
      const name of ["a-queue.yaml", "experiment/a-queue.yaml", "other/a-queue.yaml", "etc-cluster.yaml", "secret"]
    ) {
      Deno.writeTextFileSync(`${root}/${name}`, `${SECRET}:\n  name: ${SECRET}\n  command: ${SECRET}\n`);
    }
    Deno.symlinkSync("../other", `${served}/out`);
    Deno.symlinkSync("../../other", `${served}/experiment/out`);
    Deno.symlinkSync("loop", `${served}/loop`);
    Deno.symlinkSync("/", `${served}/top`);
    Deno.writeTextFileSync(`${served}/file`, "x");
    // A run is begun, refused and over; what it is told may be anything.
    const self = ["sh", "-c", "echo 'ERROR: Cannot run it'; exit 2", "sh"];
    return { connect, root: served, deps: { ...deps, environment: { ...deps.environment, cwd: () => served, self } } };
  };
  await withService(async (t) => await use(t, outside), change);
}

function hostile(outside: string): fc.Arbitrary<string> {
  const paths = [
    "..",
    "../x",
    "../experiment",
    `${outside}/other`,
    "/etc",
    "out",
    "out/x",
    "experiment/out",
    "loop",
    "file",
    "top",
  ];
  const shell = [
    `$(touch ${outside}/ran)`,
    `; touch ${outside}/ran;`,
    `'\n touch ${outside}/ran\n'`,
    `\`touch ${outside}/ran\``,
  ];
  const odd = [
    "",
    ".",
    "-oProxyCommand=x",
    "--help",
    "~",
    "~root",
    "\0",
    "a\0b",
    "\n",
    "\r\nX-A: b",
    "a".repeat(300),
    "\ud800",
    "ä",
    "🂡",
    "\u202e",
  ];
  const names = [
    "__proto__",
    "constructor",
    "toString",
    "ran",
    "job[1-3]",
    "job[1-99999999]",
    "job[",
    "[1-2][3-4]",
    "a,b",
    "null",
    "NaN",
    "-1",
    "1e9",
  ];
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...paths, ...shell, ...odd, ...names) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
    { weight: 1, arbitrary: fc.nat(20_000).map((length) => "x".repeat(length)) },
  );
}

/** As it stands in an address: encoded, or raw where that is an address still. */
function encoded(value: string, isRaw: boolean): string {
  if (isRaw) return value.replace(/[^!$&-;=@-Z_a-z~.]/gu, (c) => encodeURIComponent(c.toWellFormed()));
  return encodeURIComponent(value.toWellFormed()).replaceAll(".", "%2e");
}

function requests(operation: Operation, outside: string): fc.Arbitrary<Sent> {
  const bad = hostile(outside);
  const valueOf = ({ schema }: Parameter) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(String(schema.example ?? schema.examples?.[0])) },
      { weight: 1, arbitrary: bad },
    );
  const values = fc.tuple(
    ...operation.parameters.map((one) =>
      one.in === "path" ? valueOf(one) : fc.option(valueOf(one), { nil: null, freq: 2 })
    ),
  );
  const given = operation.parameters.some(({ name }) => name === "experiment")
    ? fc.option(bad, { nil: null, freq: 2 })
    : fc.constant(null);
  const body = fc.oneof(
    fc.json({ maxDepth: 3 }),
    bad.map((name) =>
      JSON.stringify({ jobs: [{ name, command: name, log: name }], hosts: [{ id: name, name, user: name }] })
    ),
    bad.map((value) =>
      JSON.stringify({ command: value, output: value, user: value, host: value, name: value, ip: value })
    ),
    bad.map((value) => `{"__proto__":{"x":1},"jobs":[{"name":"n","command":"c","input":${JSON.stringify(value)}}]}`),
    fc.constantFrom(
      "",
      "{",
      "null",
      "[]",
      "0",
      '{"jobs":{}}',
      '{"jobs":[null]}',
      "[".repeat(50_000),
      "\ufeff{}",
      '{"a":'.repeat(9_000),
    ),
  );
  const headers = fc.record({
    accept: fc.constantFrom("*/*", "application/json", "text/html;q=x,application/json;q=1e9", ",;,"),
    "content-type": fc.constantFrom(
      "application/json",
      "application/json; charset=x",
      "text/plain",
      "multipart/form-data",
      "a/b;;",
      "application/x-www-form-urlencoded",
    ),
    host: fc.constantFrom(
      "127.0.0.1:8000",
      "localhost",
      "127.0.0.1:8000",
      "localhost",
      "evil.example",
      "",
      "[::1",
      "a b",
    ),
    origin: fc.constantFrom("http://localhost", "http://127.0.0.1:8000", "http://evil.example", "null", "x"),
    authorization: fc.constantFrom(
      RIGHT,
      RIGHT,
      RIGHT,
      RIGHT,
      "",
      "Basic",
      "Basic =",
      `Basic ${btoa("pi:")}`,
      `Bearer x`,
      `Basic ${"A".repeat(3000)}`,
    ),
  }, { requiredKeys: ["authorization"] });
  return fc.record({
    values,
    given,
    body,
    headers,
    isRaw: fc.boolean(),
    method: fc.oneof({ weight: 9, arbitrary: fc.constant(operation.method) }, {
      weight: 1,
      arbitrary: fc.constantFrom(...METHODS),
    }),
  }).map(({ values, given, body, headers, isRaw, method }) => {
    let path = operation.path;
    const query: string[] = [];
    const more: Record<string, string> = {};
    for (const [i, one] of operation.parameters.entries()) {
      const value = one.name === "experiment" ? given : values[i] ?? null;
      if (value === null) continue;
      if (one.in === "path") path = path.replace(`{${one.name}}`, () => encoded(value, isRaw));
      else if (one.in === "query") query.push(`${one.name}=${encoded(value, isRaw)}`);
      // deno-lint-ignore no-control-regex
      else more[one.name] = value.replace(/[^\x20-\x7e]/g, "").trim();
    }
    const hasBody = (operation.hasBody || isRaw) && method !== "GET" && method !== "HEAD";
    const all = Object.entries({ ...headers, ...more }).filter((pair): pair is [string, string] =>
      pair[1] !== undefined
    );
    return {
      method,
      target: query.length > 0 ? `${path}?${query.join("&")}` : path,
      headers: Object.fromEntries(all),
      body: hasBody ? body : null,
    };
  });
}

/** A queue `a` with job1 and a cluster `a` with host1, made anew when a request has deleted them. */
async function furnish({ ask, service }: TestService): Promise<void> {
  for (
    const [kind, words] of [["queue", "name=job1&command=true&user=pi&host=red"], [
      "cluster",
      "id=host1&name=red&user=pi",
    ]]
  ) {
    if (await Deno.stat(`${service.root}/experiment/a-${kind}.yaml`).then(() => true, () => false)) continue;
    await (await ask(`POST /${kind}/?name=a`)).body?.cancel();
    await (await ask(`POST /${kind}/a?${words}`)).body?.cancel();
  }
}

Deno.test("no request, however hostile, is a fault, leaves the directory, or gets through without credentials", async () => {
  await withTrap(async (t, outside) => {
    const before = await snapshotOf(outside, "served");
    const seen = new Set<number>();
    let count = 0;
    for (const operation of await operations()) {
      const property = fc.asyncProperty(requests(operation, outside), async ({ method, target, headers, body }) => {
        await furnish(t);
        // Each from an address of its own: wrong credentials would be slowed down.
        const remote = `10.${++count >> 16}.${count >> 8 & 255}.${count & 255}`;
        const reply = await t.app.request(target, { method, headers, ...(body === null ? {} : { body }) }, { remote });
        const isStream = reply.headers.get("content-type")?.startsWith("text/event-stream");
        const text = isStream ? "" : await reply.text();
        if (isStream) await reply.body?.cancel();
        seen.add(reply.status);
        // 502: no host can be reached here.
        assert.ok(reply.status < 500 || reply.status === 502, `${reply.status}: ${text} ${t.warnings.at(-1)}`);
        if (headers.authorization !== RIGHT && !operation.isOpen) {
          assert.ok([401, 403, 414, 431].includes(reply.status), `${reply.status} without credentials: ${text}`);
          if (reply.status === 401) assert.equal(reply.headers.get("www-authenticate"), CHALLENGE);
        }
        if (headers.host === "evil.example" || headers.origin === "http://evil.example") assert.ok(reply.status >= 400);
        assert.ok(!text.includes(SECRET), `it tells of a file outside: ${text}`);
        assert.equal(reply.headers.get("x-a"), null);
      });
      const options = { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS, markInterruptAsFailure: false };
      await fc.assert(property, { ...options, errorWithCause: true });
      assert.deepEqual(await snapshotOf(outside, "served"), before, `${operation.method} ${operation.path}`);
    }
    for (const status of [200, 401, 403, 404, 422]) assert.ok(seen.has(status), `none was answered with ${status}`);
    assert.equal(({} as { x?: unknown }).x, undefined);
  });
});

Deno.test("requests as no client library writes them neither get through nor end the server", async () => {
  await withTrap(async (t, outside) => {
    await furnish(t);
    const before = await snapshotOf(outside, "served");
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request, { remoteAddr }) => t.app.fetch(request, { remote: remoteAddr.hostname }),
    );
    try {
      const { port } = server.addr;
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
          assert.ok(!/^HTTP\/1\.1 5/.test(open), `${method} ${target}: ${open}`);
          const isDocs = /^HTTP\/1\.1 200/.test(open) && /^\/docs\?/.test(target);
          assert.ok(isDocs || !/^HTTP\/1\.1 2/.test(open), `${method} ${target} without credentials: ${open}`);
          assert.ok(!open.includes("job1"), open);
          const right = await raw(
            port,
            `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${RIGHT}\r\n`,
          );
          assert.ok(!/^HTTP\/1\.1 5/.test(right) && !right.includes(SECRET), `${method} ${target}: ${right}`);
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

/** Sends a head as it is and reads all that comes. */
async function raw(port: number, head: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(`${head}Connection: close\r\n\r\n`));
  await connection.closeWrite().catch(() => {});
  const decoder = new TextDecoder();
  let text = "";
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
      text += decoder.decode(buffer.subarray(0, n), { stream: true });
    }
  } catch { /* cut off, which is an answer too */ }
  return text;
}
