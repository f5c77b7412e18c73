import assert from "node:assert/strict";
import { InvalidError } from "../../src/errors.ts";
import { type Job, makeJob } from "../../src/job/job.ts";
import { jobName } from "../../src/names/grammar.ts";
import { hasOptions, OPTION_NAMES, type OptionName, readOption, setOptions } from "../../src/job/options.ts";

function reads(name: OptionName, cases: [value: unknown, kept: unknown][]): void {
  for (const [value, kept] of cases) assert.deepEqual(readOption(name, value), kept, `${name}: ${String(value)}`);
}

function refuses(name: OptionName, values: unknown[]): void {
  for (const value of values) assert.throws(() => readOption(name, value), InvalidError, `${name}: ${String(value)}`);
}

Deno.test("readOption() reads each field as people and programs write it", () => {
  for (const name of OPTION_NAMES) reads(name, [[null, null], ["", null], [undefined, null]]);
  reads("time_limit", [["90s", "90s"], [30, "30m"]]);
  reads("retries", [[3, 3], ["3", 3], [0, 0]]);
  reads("retry_on", [["75,crash", [75, "crash"]], [["exit", 2], ["exit", 2]], [1, [1]]]);
  reads("after", [["prep[1-2],x", ["prep1", "prep2", "x"]], [["a", "a", "b[1-2]"], ["a", "b1", "b2"]], [7, ["7"]], [
    [],
    null,
  ]]);
  reads("priority", [[-5, -5], ["12", 12]]);
  reads("hold", [[true, true], ["yes", true], [false, null], ["0", null]]);
  reads("not_before", [["2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"]]);
});

Deno.test("readOption() refuses what cannot be meant", () => {
  refuses("time_limit", ["soon", "0", ["1m"], -1]);
  refuses("retries", [-1, 1.5, "many", true]);
  refuses("retry_on", ["often", 0, 256, [{}]]);
  refuses("after", ["../x", "a[", {}]);
  refuses("hold", ["perhaps", 2, []]);
  refuses("params", [{ "a b": "1" }]);
  refuses("not_before", ["tomorrow", "2026-99-99T00:00:00Z"]);
  refuses("history", ["x", [5]]);
});

Deno.test("hasOptions() is true for a job with any option, and for no plain one", () => {
  const job = makeJob(jobName("x"), { command: "true" }, { id: "1", experiment: "e" });
  assert.equal(hasOptions(job), false);
  assert.equal(hasOptions({ ...job, hold: true } as Job), true);
});

Deno.test("setOptions() gives what is set, in the order of the file", () => {
  assert.deepEqual(Object.keys(setOptions({ tags: { a: "" }, retries: 2, hold: null })), ["retries", "tags"]);
});
