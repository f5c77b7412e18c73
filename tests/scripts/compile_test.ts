import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { findBase, probeUrl } from "../../scripts/compile/base.ts";
import { makeExecutable } from "../../scripts/compile/make.ts";
import { parseOptions } from "../../scripts/compile/options.ts";
import { fillIn } from "../../scripts/compile/self_extracting.ts";
import { VERSION } from "../../src/version.ts";
import { compiledCms } from "../../testing/compiled.ts";
import { launch, makeStandIn, TestDirectory } from "./compile/support.ts";

const search = {
  target: "x86_64-unknown-linux-gnu",
  version: "2.9.6",
  denoDirectory: "/nonexistent",
  denortBin: undefined,
  probe: () => Promise.resolve("no way out"),
};

Deno.test("parseOptions() has this platform, dist/cms and any way as defaults, and refuses what it does not know", () => {
  assert.deepEqual(parseOptions([], "here"), { target: "here", output: "dist/cms", way: "auto" });
  const given = parseOptions(["--target=there", "--output", "x", "--way=deno-compile"], "here");
  assert.deepEqual(given, { target: "there", output: "x", way: "deno-compile" });
  assert.equal(parseOptions(["--help"], "here"), "help");
  for (const bad of ["--way=magic", "--targets=x", "stray", "--output="]) {
    assert.throws(() => parseOptions([bad], "here"), RangeError, bad);
  }
});

Deno.test("findBase() looks at DENORT_BIN, then at the cache, then at the network", async () => {
  using directory = new TestDirectory();
  const denoDirectory = directory.path;
  assert.deepEqual(await findBase({ ...search, denoDirectory }), { kind: "absent", reason: "no way out" });
  const reachable = { ...search, denoDirectory, denortBin: "", probe: () => Promise.resolve(null) };
  assert.deepEqual(await findBase(reachable), { kind: "download" });
  const cached = `${directory.make("dl/release/v2.9.6")}/denort-${search.target}.zip`;
  Deno.writeTextFileSync(cached, "zip");
  assert.deepEqual(await findBase(reachable), { kind: "cached" });
  assert.deepEqual(await findBase({ ...search, denoDirectory, denortBin: cached }), { kind: "named" });
});

Deno.test("findBase() refuses a DENORT_BIN that is a whole deno or is missing", async () => {
  await assert.rejects(findBase({ ...search, denortBin: Deno.execPath() }), /it is a whole deno, not denort/);
  await assert.rejects(findBase({ ...search, denortBin: "/nonexistent/denort" }), /Cannot use DENORT_BIN .*ENOENT/);
});

Deno.test("probeUrl() tells an answer, a refusal, silence and a closed port apart", async () => {
  const silent = Promise.withResolvers<Response>();
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/silent" ? silent.promise : new Response(null, { status: pathname === "/there" ? 200 : 404 });
  });
  const { port } = server.addr;
  assert.equal(await probeUrl(`http://127.0.0.1:${port}/there`), null);
  assert.equal(await probeUrl(`http://127.0.0.1:${port}/gone`), `127.0.0.1:${port} answers 404`);
  assert.match(String(await probeUrl(`http://127.0.0.1:${port}/silent`, 50)), /does not answer within 0.05 s/);
  silent.resolve(new Response());
  assert.match(String(await probeUrl("http://127.0.0.1:1/")), /^127.0.0.1:1: /);
});

Deno.test("makeExecutable() refuses another platform where only a self-extracting file can be made, and leaves no file", async () => {
  using directory = new TestDirectory();
  const entry = `${directory.path}/main.ts`;
  Deno.writeTextFileSync(entry, 'console.log("cms 1");');
  const options = { target: "riscv-plan9", output: `${directory.path}/cms`, way: "self-extracting" } as const;
  const work = directory.make("work");
  await assert.rejects(
    makeExecutable(options, { parts: [{ name: "main.mjs", entry, without: [] }], work }, () => {}),
    /carries the Deno of this platform/,
  );
  assert.deepEqual([...Deno.readDirSync(directory.path)].map((each) => each.name).sort(), ["main.ts", "work"]);
});

Deno.test("makeExecutable() refuses a program that cannot be bundled or does not start", async () => {
  using directory = new TestDirectory();
  const entry = `${directory.path}/main.ts`;
  const places = { parts: [{ name: "main.mjs", entry, without: [] }], work: directory.make("work") };
  const options = { target: Deno.build.target, output: `${directory.path}/cms`, way: "self-extracting" } as const;
  Deno.writeTextFileSync(entry, 'import "./missing.ts";');
  await assert.rejects(makeExecutable(options, places, () => {}), /Cannot bundle .*missing\.ts/);
  Deno.writeTextFileSync(entry, 'throw new Error("not today");');
  await assert.rejects(makeExecutable(options, places, () => {}), /does not start: .*not today/);
});

Deno.test("fillIn() says the length of its own result", () => {
  fc.assert(fc.property(fc.nat(3000), fc.integer({ min: 1, max: 3 }), (padding, marks) => {
    const text = fillIn("ü".repeat(padding) + "@NAME@" + "[@TEXT_BYTES@]".repeat(marks), { NAME: "n" });
    assert.ok(text.endsWith(`[${new TextEncoder().encode(text).length}]`), text.slice(-40));
  }));
});

Deno.test("the executable of the program says its version", async () => {
  using directory = new TestDirectory();
  const { code, stdout, stderr } = await launch(await compiledCms(), ["--version"], {
    env: { HOME: directory.make("home"), PATH: directory.make("empty") },
  });
  assert.deepEqual([code, stdout, stderr], [0, `cms ${VERSION}\n`, ""]);
});

Deno.test("a self-extracting file replaces a running one without harm", async () => {
  using directory = new TestDirectory();
  const file = `${directory.path}/cms`;
  Deno.writeTextFileSync(file, "old");
  using old = Deno.openSync(file);
  await makeStandIn(file);
  const bytes = new Uint8Array(8);
  assert.deepEqual([await old.read(bytes), new TextDecoder().decode(bytes.subarray(0, 3))], [3, "old"]);
  assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o755);
});
