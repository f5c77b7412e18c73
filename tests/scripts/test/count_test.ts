import assert from "node:assert/strict";
import { countResults, judge, renderCounts } from "../../../scripts/test/count.ts";

/** Runs `deno test` over a file with this text; returns the JUnit file and the exit code. */
async function resultsOf(text: string, ...options: string[]): Promise<{ junit: string; code: number }> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/a_test.ts`, text);
    const args = ["test", "--no-check", "--no-config", `--junit-path=${directory}/out.xml`, ...options, directory];
    const { code } = await new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" }).output();
    return { junit: await Deno.readTextFile(`${directory}/out.xml`).catch(() => ""), code };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("countResults() counts top-level tests of deno's own output and no steps", async () => {
  const { junit, code } = await resultsOf(`
    Deno.test("good", async (t) => { await t.step("one", () => {}); await t.step("two > three", () => {}); });
    Deno.test("bad <x> & </testcase>", async (t) => { await t.step("s", () => { throw new Error("</testcase>"); }); });
    Deno.test("a > b", () => {});
    Deno.test("worse", () => { throw new Error("<skipped/>"); });
    Deno.test({ name: "left out", ignore: true, fn() {} });
  `);
  const counts = countResults(junit);
  assert.equal(renderCounts(counts), "2 passed, 2 failed, 1 skipped");
  assert.equal(judge(counts, code).exitCode, 1);
});

Deno.test("countResults() leaves out what a filter left out", async () => {
  const { junit } = await resultsOf(
    `
    Deno.test("one", () => {});
    Deno.test("two", () => {});
    Deno.test({ name: "one left out", ignore: true, fn() {} });
  `,
    "--filter=one",
  );
  assert.equal(renderCounts(countResults(junit)), "1 passed, 0 failed, 1 skipped");
});

Deno.test("judge() fails a run whose file cannot be loaded", async () => {
  const { junit, code } = await resultsOf(`throw new Error("load");`);
  assert.deepEqual(judge(countResults(junit), code), { counts: { passed: 0, failed: 1, skipped: 0 }, exitCode: 1 });
});

Deno.test("judge() fails a run without a test that ran and passes one with only good tests", async () => {
  assert.equal(judge({ passed: 0, failed: 0, skipped: 3 }, 0).exitCode, 1);
  assert.equal(judge({ passed: 1, failed: 0, skipped: 3 }, 0).exitCode, 0);
  const { junit, code } = await resultsOf(`Deno.test("good", () => {});`);
  assert.deepEqual(judge(countResults(junit), code), { counts: { passed: 1, failed: 0, skipped: 0 }, exitCode: 0 });
});
