import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundle } from "../../../scripts/compile/bundle.ts";
import { partFor, partsOf } from "../../../scripts/compile/parts.ts";
import { compiledCms } from "../../../testing/compiled.ts";
import { launch, TestDirectory } from "./support.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

Deno.test("partFor() gives short commands to the first bundle, and each other to the one that has it", () => {
  const cases: [words: string, part: string | null][] = [
    ["", null],
    ["--version", null],
    ["queue", null],
    ["queue list a", null],
    ["queue add a --name=service --command=x", null],
    ["cluster set a", null],
    ["cluster drain a", "run.mjs"],
    ["help queue run", null],
    ["queue run fifo a", "run.mjs"],
    ["queue reset a --name=service", "run.mjs"],
    ["queue nonsense", "run.mjs"],
    ["queue --service start", "service.mjs"],
    ["queue --port 9000 --service=info", "service.mjs"],
    ["queue service start", "service.mjs"],
    ["openapi", "service.mjs"],
  ];
  for (const [words, part] of cases) assert.equal(partFor(words.split(" ").filter((word) => word !== "")), part, words);
});

Deno.test("the bundles of all but the service import no module of Node at their start", async () => {
  using directory = new TestDirectory();
  for (const part of partsOf(ROOT).slice(0, 2)) {
    await bundle(part, directory.path);
    const text = readFileSync(`${directory.path}/${part.name}`, "utf8");
    const found = text.match(/from ?"node:[a-z_]+"/g) ?? [];
    assert.deepEqual(found, [], part.name);
    // Each of these would be looked for at each start.
    assert.deepEqual(text.match(/import\("\.[^"]*"\)/g) ?? [], [], part.name);
    // What stands for Node's modules there is for the grammar library alone.
    const plain = readFileSync(`${directory.path}/plain-${part.name}`, "utf8");
    assert.equal(plain.match(/without_node\/process\.ts/g)?.length, 1, part.name);
  }
});

Deno.test("the executable has each command, in whichever bundle it is", async () => {
  using directory = new TestDirectory();
  const env = { HOME: directory.make("home"), XDG_CACHE_HOME: `${ROOT}.deno/compile/cache` };
  const cms = await compiledCms();
  const run = async (...words: string[]) => await launch(cms, words, { env, cwd: directory.path });
  const missing =
    "ERROR: Queue: ./experiment/a-queue.yaml does not exist; there is no queue in experiment; to make it: cms queue create a\n";
  const verbs = ["list a", "refresh a", "check a", "reset a", "delete a --name=b", "run fifo a --max_parallel=1"];
  for (const verb of [...verbs, "run fifo_multi a --hosts=localhost"]) {
    const { code, stderr } = await run("queue", ...verb.split(" "));
    assert.deepEqual([code, stderr], [2, missing], verb);
  }
  assert.match((await run("queue", "--service", "start", "--port=x")).stderr, /^ERROR: .*port/);
  assert.equal(JSON.parse((await run("openapi")).stdout).openapi, "3.1.0");
  assert.match((await run("help", "queue", "run", "fifo")).stdout, /--max-parallel/);
  assert.match((await run("queue", "lst")).stderr, /^ERROR: .*'lst'.*list.*; see: cms help queue\n$/);
  assert.match((await run("completion", "bash")).stdout, /complete/);
  assert.match((await run("__complete", "queue", "ru")).stdout, /^run$/m);
});
