import assert from "node:assert/strict";
import { checkRules } from "../../scripts/rules/rules.ts";

function check(path: string, text: string): string[] {
  return checkRules([{ path, text }]);
}

Deno.test("checkRules() accepts imports that point down, and of the common files", () => {
  assert.deepEqual(check("src/scheduler/a.ts", 'import { x } from "../link/link.ts";\nimport "../deps.ts";'), []);
  assert.deepEqual(check("src/cli/queue/a.ts", 'const m = await import("../../operations/b.ts");'), []);
});

Deno.test("checkRules() names an import that points up, or across", () => {
  assert.deepEqual(check("src/store/a.ts", 'import { x } from "../scheduler/b.ts";'), [
    'src/store/a.ts: room "store" may not import src/scheduler/b.ts',
  ]);
  assert.equal(check("src/job/a.ts", 'import "../cluster/host.ts";').length, 1);
  assert.equal(check("src/link/a.ts", 'import "../deps_real.ts";').length, 1);
  assert.equal(check("src/attic/a.ts", "").length, 1);
});

Deno.test("checkRules() names an effect outside the files for effects, but not in a comment", () => {
  assert.deepEqual(check("src/link/a.ts", "const x = 1;\nconst t = Date.now();"), [
    "src/link/a.ts:2: Date.now( belongs into src/deps_real.ts",
  ]);
  assert.equal(check("src/link/a.ts", "/** As Deno.errors has it. */ // Deno.x\nconst y = 2;").length, 0);
  assert.equal(check("src/deps_real.ts", "Deno.exit()").length, 0);
});
