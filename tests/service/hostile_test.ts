/** What nobody means well: every operation of the document with random and hostile values. */
import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { documentOf } from "../../src/service/openapi.ts";
import { realDeps } from "../../src/deps_real.ts";
import { snapshotOf } from "./snapshot.ts";
import { RIGHT } from "../../testing/service/service.ts";
import { furnish, SECRET, withTrap } from "./trap.ts";

const CHALLENGE = 'Basic realm="Cloudmesh Queue", charset="UTF-8"';
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"];
/** For each operation; more find more. */
const RUNS = Number(Deno.env.get("CMS_TEST_RUNS") ?? 10);

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
function operations(): Operation[] {
  type Raw = { parameters?: Parameter[]; requestBody?: unknown; security?: unknown[] };
  const document = JSON.parse(JSON.stringify(documentOf(realDeps()))) as {
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
    { weight: 1, arbitrary: fc.constantFrom(200, 300, 5000, 20_000).map((length) => "x".repeat(length)) },
  );
}

/** As it stands in an address: encoded, or raw where that is an address still. */
function encoded(value: string, isRaw: boolean): string {
  if (isRaw) return value.replace(/[^!$&-;=@-Z_a-z~.]/gu, (c) => encodeURIComponent(c.toWellFormed()));
  return encodeURIComponent(value.toWellFormed()).replaceAll(".", "%2e");
}

/** The usual value, but now and then another. */
function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}

function requests(operation: Operation, outside: string): fc.Arbitrary<Sent> {
  const bad = hostile(outside);
  const valueOf = ({ schema }: Parameter) =>
    fc.oneof(
      { weight: 5, arbitrary: fc.constant(String(schema.example ?? schema.examples?.[0])) },
      { weight: 1, arbitrary: bad },
    );
  const values = fc.tuple(
    ...operation.parameters.map((one) =>
      one.in === "path" ? valueOf(one) : fc.option(valueOf(one), { nil: null, freq: 2 })
    ),
  );
  const given = operation.parameters.some(({ name }) => name === "experiment")
    ? fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: bad })
    : fc.constant(null);
  const bodyOf = (of: (value: string) => unknown) => bad.map((value) => JSON.stringify(of(value)));
  const body = fc.oneof(
    fc.json({ maxDepth: 3 }),
    bodyOf((name) => ({ jobs: [{ name, command: name }], hosts: [{ id: name, name: "red", user: "pi" }] })),
    bodyOf((value) => ({ jobs: [{ name: "n", command: "c", input: value, log: value, user: value, host: value }] })),
    bodyOf((value) => ({ hosts: [{ id: "h", name: value, user: value, ip: value, gpu: value }] })),
    bodyOf((value) => ({ command: value, output: value, shell: value })),
    bodyOf((value) => ({ name: value, user: value, ip: value, status: value })),
    bad.map((value) => `{"__proto__":{"x":1},"jobs":[{"name":"n","command":"c","input":${JSON.stringify(value)}}]}`),
    fc.constantFrom("", "{", "null", "[]", "0", '{"jobs":{}}', '{"jobs":[null]}', "\ufeff{}"),
    fc.constantFrom("[".repeat(50_000), '{"a":'.repeat(9_000)),
  );
  const headers = fc.record({
    accept: mostly("*/*", "application/json", "text/html;q=x,application/json;q=1e9", ",;,"),
    "content-type": mostly(
      "application/json",
      "application/json; charset=x",
      "text/plain",
      "multipart/form-data",
      "a/b;;",
    ),
    host: mostly("localhost", "127.0.0.1:8000", "evil.example", "", "[::1", "a b"),
    origin: mostly(undefined, "http://localhost", "http://evil.example", "null", "x"),
    authorization: mostly(
      RIGHT,
      "",
      "Basic",
      "Basic =",
      `Basic ${btoa("pi:")}`,
      "Bearer x",
      `Basic ${"A".repeat(3000)}`,
    ),
  });
  return fc.record({
    values,
    given,
    body,
    headers,
    isRaw: fc.boolean(),
    method: mostly(operation.method, ...METHODS),
  }).map(({ values, given, body, headers, isRaw, method }) => {
    let path = operation.path;
    const query: string[] = [];
    const more: Record<string, string> = {};
    for (const [i, one] of operation.parameters.entries()) {
      const value = one.name === "experiment" ? given : values[i] ?? null;
      if (value === null) continue;
      if (one.in === "path") path = path.replace(`{${one.name}}`, () => encoded(value, isRaw));
      else if (one.in === "query") query.push(`${one.name}=${encoded(value, isRaw)}`);
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

Deno.test("no request, however hostile, is a fault, leaves the directory, or gets through without credentials", async () => {
  await withTrap(async (t, outside) => {
    const before = await snapshotOf(outside, "served");
    const seen = new Set<number>();
    let count = 0;
    for (const operation of operations()) {
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
      await fc.assert(property, { numRuns: RUNS });
      assert.deepEqual(await snapshotOf(outside, "served"), before, `${operation.method} ${operation.path}`);
    }
    for (const status of [200, 401, 403, 404, 422]) assert.ok(seen.has(status), `none was answered with ${status}`);
    assert.equal(({} as { x?: unknown }).x, undefined);
  });
});
