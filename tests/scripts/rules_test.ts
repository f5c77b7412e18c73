import assert from "node:assert/strict";
import { missingDocs } from "../../scripts/rules/doc_lint.ts";
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

Deno.test("checkRules() names a circle of imports once, also one of types", () => {
  const of = (name: string, target: string) => ({
    path: `src/link/${name}.ts`,
    text: `import type { X } from "./${target}.ts";`,
  });
  assert.deepEqual(checkRules([of("a", "b"), of("b", "c"), of("c", "b")]), [
    "a circle of imports: src/link/b.ts -> src/link/c.ts -> src/link/b.ts",
  ]);
  assert.deepEqual(checkRules([of("a", "b"), of("b", "c")]), []);
});

Deno.test("checkRules() keeps scripts and tests apart: what they share is in testing/", () => {
  assert.deepEqual(check("scripts/torture/a.ts", 'import { x } from "../../tests/b.ts";'), [
    "scripts/torture/a.ts: may not import tests/b.ts; what scripts and tests share is in testing/",
  ]);
  assert.equal(check("tests/store/a.ts", 'import { x } from "../../scripts/b.ts";').length, 1);
  assert.equal(check("testing/a.ts", 'import { x } from "../tests/b.ts";').length, 1);
  assert.deepEqual(check("tests/scripts/a.ts", 'import { x } from "../../scripts/b.ts";'), []);
  assert.deepEqual(check("scripts/a.ts", 'import { x } from "../testing/b.ts";\nimport "../src/deps.ts";'), []);
});

Deno.test("checkRules() names an effect outside the files for effects, but not in a comment", () => {
  assert.deepEqual(check("src/link/a.ts", "const x = 1;\nconst t = Date.now();"), [
    "src/link/a.ts:2: Date.now( belongs into src/deps_real.ts",
  ]);
  assert.equal(check("src/link/a.ts", "/** As Deno.errors has it. */ // Deno.x\nconst y = 2;").length, 0);
  assert.equal(check("src/deps_real.ts", "Deno.exit()").length, 0);
});

Deno.test("checkRules() names a comment that is too wide, and a word for what is elsewhere", () => {
  const wide = `// ${"a".repeat(118)}`;
  assert.deepEqual(check("tests/a.ts", `${wide}\n`), ["tests/a.ts:1: the comment has 121 columns, more than 120"]);
  assert.deepEqual(check("tests/a.ts", `const a = 1;\n${wide.slice(1)}`), []);
  assert.deepEqual(check("src/job/a.ts", "// SEED, part 3"), ["src/job/a.ts:1: names what is not in the repository"]);
});

Deno.test("checkRules() names a function that is too complex, by itself", () => {
  // Five ifs in each other cost 1 + 2 + 3 + 4 + 5.
  const nested = "if (a) ".repeat(5) + "b();";
  const text = (body: string) => `export function f() {\n${body}\n}`;
  assert.deepEqual(check("src/job/a.ts", text(nested)), []);
  const inner = `const g = () => {\n${nested}\n};`;
  assert.deepEqual(check("src/job/a.ts", text(`${nested}\n${inner}`)), [], "a named function counts by itself");
  assert.deepEqual(check("src/job/a.ts", text(`${nested}\n${nested}`)), [
    "src/job/a.ts:1: f has a complexity of 30, more than 25",
  ]);
  assert.equal(check("src/job/a.ts", text("x = a && b && c || d ? 1 : 2;\n".repeat(9))).length, 1);
  assert.equal(check("src/job/a.ts", text("x = a && b && c;\n".repeat(9))).length, 0);
});

Deno.test("missingDocs() keeps exports without a doc comment, and drops members and types of packages", () => {
  const output = [
    "error[missing-jsdoc]: exported symbol is missing JSDoc documentation",
    "  --> /x/a.ts:1:1",
    "error[missing-jsdoc]: exported symbol is missing JSDoc documentation",
    "   --> /x/a.ts:2:12",
    "error[private-type-ref]: public type 'A' references private type 'B'",
    "  --> /x/a.ts:1:1",
  ].join("\n");
  const lines = ["export interface A {", "  readonly b: string;"];
  assert.deepEqual(missingDocs(output, (_path, line) => lines[line - 1]!), [
    "/x/a.ts:1: exported symbol is missing JSDoc documentation",
  ]);
});

Deno.test("checkRules() finds a file of src of more than 330 lines, and lets one of 330 and a long test pass", () => {
  const lines = (count: number): string => "// line\n".repeat(count);
  const found = checkRules([
    { path: "src/job/a.ts", text: lines(331) },
    { path: "src/agent/b.sh", text: lines(331) },
    { path: "src/job/c.ts", text: lines(330) },
    { path: "tests/job/d_test.ts", text: lines(331) },
  ]);
  assert.deepEqual(found, [
    "src/job/a.ts: has 331 lines, more than 330",
    "src/agent/b.sh: has 331 lines, more than 330",
  ]);
});

Deno.test("checkRules() finds a second place for what is said once", () => {
  const lines = [
    'type Name = "fifo" | "fifo_multi";',
    "function f({ job, attempt }: { job: JobName; attempt: string }): void {}",
    'const number = attempt.slice(attempt.lastIndexOf("."));',
  ];
  assert.deepEqual(check("src/link/a.ts", lines.join("\n")), [
    "src/link/a.ts:1: the union of the schedulers is in src/store/run_status.ts alone",
    "src/link/a.ts:2: the reference to an attempt is in src/job/attempt.ts alone",
    "src/link/a.ts:3: the id of an attempt is in src/job/attempt.ts alone",
  ]);
  assert.deepEqual(check("src/job/attempt.ts", lines[2]!), []);
  assert.deepEqual(check("tests/link/a.ts", lines.join("\n")), []);
});
