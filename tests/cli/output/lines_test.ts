import assert from "node:assert/strict";
import { LIST_LIMIT, makeLines, nameList } from "../../../src/cli/output/lines.ts";
import { FakeTerminal } from "../harness.ts";

const RULE = `# ${"-".repeat(70)}`;

function environment(values: Record<string, string> = {}): { get(name: string): string | undefined } {
  return { get: (name) => values[name] };
}

Deno.test("INFO and banners go to stdout, WARNING and ERROR to stderr, without colour in a pipe", () => {
  const io = new FakeTerminal();
  const lines = makeLines(io, environment());
  lines.info("one");
  lines.banner("Run: job1");
  lines.warning("two");
  lines.error("three");
  assert.equal(io.text("out"), `INFO: one\n\n${RULE}\n# Run: job1\n${RULE}\n\n`);
  assert.equal(io.text("err"), "WARNING: two\nERROR: three\n");
});

Deno.test("colours come on a terminal only, and never with NO_COLOR", () => {
  const coloured = new FakeTerminal(true);
  const lines = makeLines(coloured, environment());
  lines.info("x");
  lines.warning("x");
  lines.error("x");
  assert.equal(coloured.text("out"), "\u001b[34mINFO:\u001b[39m x\n");
  assert.equal(coloured.text("err"), "\u001b[35mWARNING:\u001b[39m x\n\u001b[31mERROR:\u001b[39m x\n");
  for (const values of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
    const plain = new FakeTerminal(true);
    makeLines(plain, environment(values)).info("x");
    assert.equal(plain.text("out"), "INFO: x\n");
  }
});

Deno.test("a line stays one line and cannot steer the terminal", () => {
  const io = new FakeTerminal();
  makeLines(io, environment()).error("a\u001b[2Jb\nc");
  assert.equal(io.text("err"), "ERROR: a\\x1b[2Jb\\nc\n");
});

Deno.test("nameList() is the original's list, cut with a count when it is long", () => {
  assert.equal(nameList([]), "[]");
  assert.equal(nameList(["job1", "job2"]), "['job1', 'job2']");
  const names = Array.from({ length: LIST_LIMIT + 7 }, (_, i) => `j${i}`);
  assert.match(nameList(names), /'j999', \.\.\. and 7 more\]$/);
  assert.match(nameList(names.slice(0, LIST_LIMIT)), /'j999'\]$/);
});
