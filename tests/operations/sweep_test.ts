import assert from "node:assert/strict";
import { InvalidError } from "../../src/errors.ts";
import { linkedRows, productOf, readParam, sweepJobs, type SweepRequest } from "../../src/operations/sweep.ts";
import { readLines, readRows } from "../../src/operations/sweep_files.ts";

function made(request: Partial<SweepRequest>): string[] {
  const whole: SweepRequest = {
    sources: [],
    lines: null,
    name: "x",
    spec: { command: "run" },
    sample: null,
    ...request,
  };
  return sweepJobs(whole).map(({ name, spec }) => `${name}: ${spec.command}`);
}

Deno.test("readParam() reads lists, ranges, steps and powers", () => {
  const cases: [string, string[]][] = [
    ["lr=0.1,0.01", ["0.1", "0.01"]],
    ["seed=1-4", ["1", "2", "3", "4"]],
    ["seed=08-10,x", ["08", "09", "10", "x"]],
    ["x=0:1:0.25", ["0", "0.25", "0.5", "0.75", "1"]],
    ["lr=1e-4:1e-1:log4", ["0.0001", "0.001", "0.01", "0.1"]],
    ["url=http://a:80/x", ["http://a:80/x"]],
    ["e=", [""]],
  ];
  for (const [text, values] of cases) assert.deepEqual(readParam(text).values, values, text);
  for (const text of ["lr", "=1", "1x=2", "a b=1", "s=5-1", "x=1:0:1", "x=0:1:0", "x=0:1:log3", "x=1-1000000"]) {
    assert.throws(() => readParam(text), InvalidError, text);
  }
});

Deno.test("sweepJobs() makes the product, the last source fastest, with names that tell jobs apart", () => {
  const sources = productOf([readParam("a=1,2"), readParam("b=x,y")]);
  const spec = { command: "go {a} {b} {#}" };
  assert.deepEqual(made({ sources, spec, name: "j-{a}-{b}" }), [
    "j-1-x: go 1 x 1",
    "j-1-y: go 1 y 2",
    "j-2-x: go 2 x 3",
    "j-2-y: go 2 y 4",
  ]);
  assert.deepEqual(made({ sources, name: "j" }), ["j-1: run", "j-2: run", "j-3: run", "j-4: run"]);
  assert.deepEqual(made({ sources, name: "j-{a}" }), ["j-1: run", "j-1-2: run", "j-2: run", "j-2-2: run"]);
  assert.deepEqual(made({ sources: productOf([readParam("p=a/b c,..")]), name: "{p}" }), ["a_b_c: run", "_..: run"]);
  const [job] = sweepJobs({ sources, lines: null, name: "j", spec: { command: "x", output: "{b}.txt" }, sample: null });
  assert.deepEqual([job!.spec.output, job!.spec.params], ["x.txt", { a: "1", b: "x" }]);
});

Deno.test("sweepJobs() multiplies lines, and takes a line for the command where there is none", () => {
  const sources = productOf([readParam("a=1,2")]);
  assert.deepEqual(made({ sources, lines: ["u", "v w"], spec: { command: "go {a} {}" }, name: "{a}-{}" }), [
    ...["1-u: go 1 u", "1-v_w: go 1 'v w'", "2-u: go 2 u", "2-v_w: go 2 'v w'"],
  ]);
  assert.deepEqual(made({ lines: ["echo $HOME", "ls | wc"], spec: { command: "" } }), [
    "x-1: echo $HOME",
    "x-2: ls | wc",
  ]);
});

Deno.test("linkedRows() takes values by position, and refuses lengths that differ", () => {
  const params = [readParam("a=1,2"), readParam("b=x,y")];
  assert.deepEqual(made({ sources: linkedRows(params), name: "{a}{b}" }), ["1x: run", "2y: run"]);
  assert.throws(() => linkedRows([readParam("a=1,2"), readParam("b=x")]), /a has 2 values, b has 1/);
});

Deno.test("a sample is some of the product, the same for the same seed", () => {
  const sources = productOf([readParam("a=1-50"), readParam("b=1-50")]);
  const of = (seed: number) => made({ sources, name: "{a}-{b}", sample: { count: 20, seed } });
  assert.equal(new Set(of(1)).size, 20);
  assert.deepEqual(of(1), of(1));
  assert.notDeepEqual(of(1), of(2));
  assert.throws(() => made({ sources: productOf([readParam("a=1-1000"), readParam("b=1-1000")]) }), InvalidError);
});

Deno.test("readRows() reads CSV with quoted fields and line breaks, TSV, JSON, JSON lines and YAML", () => {
  const rows = [{ a: "1", b: 'x "y"\nz' }, { a: "2", b: "" }];
  assert.deepEqual(readRows('\ufeffa,b\r\n1,"x ""y""\nz"\r\n2,\r\n', "p.csv"), rows);
  assert.deepEqual(readRows("a\tb\n1\tc, d\n", "p.tsv"), [{ a: "1", b: "c, d" }]);
  assert.deepEqual(readRows(JSON.stringify([{ a: 1, b: 'x "y"\nz' }, { a: 2, b: null }]), "p.json"), rows);
  assert.deepEqual(readRows('{"a":1,"b":true}\n\n{"a":2,"b":false}\n', "p.jsonl"), [{ a: "1", b: "true" }, {
    a: "2",
    b: "false",
  }]);
  assert.deepEqual(readRows("- a: 1\n  b: x\n", "p.yaml"), [{ a: "1", b: "x" }]);
});

Deno.test("readRows() names the file and what is wrong with it", () => {
  const cases: [string, string, RegExp][] = [
    ["a,b\n1\n", "p.csv", /p\.csv/],
    ["", "p.csv", /has no rows/],
    ["[1]", "p.json", /no list of maps/],
    ["[", "p.json", /p\.json/],
    ['[{"a":[1]}]', "p.json", /row 1, a: it is a list or map/],
    ['[{"a":1},{"b":1}]', "p.json", /row 2 has other fields/],
    ["a b\n1\n", "p.csv", /no name of a parameter/],
    ["x", "p.txt", /must end in/],
  ];
  for (const [text, path, reason] of cases) assert.throws(() => readRows(text, path), reason, path);
});

Deno.test("readLines() leaves out blank lines, and comments where that is asked", () => {
  assert.deepEqual(readLines("a\r\n\n  \n#c\nb", { comments: false }), ["a", "#c", "b"]);
  assert.deepEqual(readLines("a\n # c\nb\n", { comments: true }), ["a", "b"]);
});
