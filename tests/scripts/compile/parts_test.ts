import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundle } from "../../../scripts/compile/bundle.ts";
import { partFor, partsOf } from "../../../scripts/compile/parts.ts";
import { compiledCms } from "../../../testing/compiled.ts";
import { launch, TestDirectory } from "./support.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

Deno.test("partFor() gives each command to the bundle that has it, and the version to the first", () => {
  const cases: [words: string, part: string | null][] = [
    ["", "short.mjs"],
    ["--version", null],
    ["queue", "short.mjs"],
    ["-V", null],
    ["--version x", "short.mjs"],
    ["queue list a", "list.mjs"],
    ["queue info --wide", "list.mjs"],
    ["cluster list a", "short.mjs"],
    ["queue add a --name=service --command=x", "short.mjs"],
    ["cluster set a", "short.mjs"],
    ["cluster drain a", "run.mjs"],
    ["help queue run", "short.mjs"],
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

/** Most bytes of the bundles that start fast, a twentieth more than they had at first, and what they must not hold. */
const LEAN: Readonly<Record<string, { readonly bytes: number; readonly without: readonly string[] }>> = {
  "main.mjs": { bytes: 6_400, without: ["src/cli/program.ts", "src/deps_real.ts", "commander", "js-yaml"] },
  "list.mjs": {
    bytes: 248_000,
    without: ["src/cli/verbs.ts", "src/cli/queue/add.ts", "src/cli/completion/complete.ts", "src/link/", "src/slurm/"],
  },
  "short.mjs": { bytes: 404_000, without: ["src/slurm/", "src/scheduler/scheduler.ts", "src/service/", "hono"] },
};

Deno.test("the bundles of short commands are small, and none but the service's imports a module of Node at its start", async () => {
  using directory = new TestDirectory();
  for (const part of partsOf(ROOT).filter(({ name }) => name !== "service.mjs")) {
    await bundle(part, directory.path);
    const text = readFileSync(`${directory.path}/${part.name}`, "utf8");
    const found = text.match(/from ?"node:[a-z_]+"/g) ?? [];
    assert.deepEqual(found, [], part.name);
    // Each of these would be looked for at each start.
    assert.deepEqual(text.match(/import\("\.[^"]*"\)/g) ?? [], [], part.name);
    const plain = readFileSync(`${directory.path}/plain-${part.name}`, "utf8");
    // What stands for Node's modules there is for the grammar library alone.
    assert.equal(plain.match(/without_node\/process\.ts/g)?.length ?? 0, part.name === "main.mjs" ? 0 : 1, part.name);
    const { bytes, without } = LEAN[part.name] ?? { bytes: Infinity, without: [] };
    assert.ok(text.length <= bytes, `${part.name} has ${text.length} bytes`);
    // Each module stands behind a line with its path.
    const modules: string[] = plain.match(/^\/\/ .*\.(?:ts|m?js)$/gm) ?? [];
    assert.ok(modules.includes("// main.ts"), part.name);
    for (const name of without) assert.ok(!modules.some((module) => module.includes(name)), `${part.name}: ${name}`);
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
