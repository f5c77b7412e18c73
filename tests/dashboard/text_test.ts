/** What the page makes of outputs, addresses and spans, without a browser. */
import assert from "node:assert/strict";
import { countsOver, lanesOf } from "../../src/dashboard/lanes.ts";
import { overwritten } from "../../src/dashboard/overwritten.ts";
import { batches, cms, conditions, duration } from "../../src/dashboard/words.ts";

const SPANS = {
  machines: ["pi@red", "pi@red01"],
  states: ["end", "start"],
  names: ["a", "b", "c", "d"],
  begin: [0, 0, 5, 10],
  end: [5, 10, 15, null],
  machine: [0, 0, 0, 1],
  state: [0, 0, 0, 1],
  failed: [0, 1, 0, 0],
};

Deno.test("lanesOf() needs as many lanes for a machine as jobs ran there at once", () => {
  const { lane, count, titles, range } = lanesOf(SPANS, 20);
  assert.deepEqual([[...lane], count, range], [[0, 1, 0, 2], 3, [0, 20]]);
  assert.deepEqual(titles, [[0, 0], [1, 2]]);
});

Deno.test("countsOver() counts to the last moment what was done, failed and runs", () => {
  const { times, done, failed, running, rate } = countsOver(SPANS, 20);
  assert.deepEqual([rate[0], rate.at(-1), Math.max(...rate)], [0, 0.1, 0.2]);
  assert.deepEqual([times.at(-1), done.at(-1), failed.at(-1), running.at(-1)], [20, 3, 1, 1]);
  const long = Array.from({ length: 100_000 }, (_, i) => i);
  const many = {
    ...SPANS,
    names: long.map(String),
    begin: long,
    end: long.map((i) => i + 1),
    failed: long.map(() => 0),
  };
  assert.ok(countsOver(many, 200_000).times.length <= 602);
  assert.equal(countsOver(many, 200_000).done.at(-1), 100_000);
});

Deno.test("conditions are parted where another one begins; names go in parts that an address can hold", () => {
  assert.deepEqual(conditions("exit_code=3 and param.lr<0.1 "), ["exit_code=3", "param.lr<0.1"]);
  assert.deepEqual(conditions("command~this and that"), ["command~this and that"]);
  assert.deepEqual(conditions(" "), []);
  const names = Array.from({ length: 30 }, (_, i) => `job${i}`);
  const parts = batches(names, 60);
  assert.deepEqual(parts.flat(), names);
  assert.ok(parts.length > 1 && parts.every((part) => encodeURIComponent(part.join(",")).length <= 60));
});

Deno.test("commands are quoted for a shell, durations are short", () => {
  assert.equal(cms("queue", "add", "a", "--command=echo it's", false), `cms queue add a '--command=echo it'\\''s'`);
  assert.deepEqual([0.25, 59.6, 252, 7_200, 90_000].map(duration), [
    "0.3 s",
    "1 m 0 s",
    "4 m 12 s",
    "2 h 0 m",
    "1 d 1 h",
  ]);
});

Deno.test("of a line that was written over it is seen what came last at each place, however often that was", () => {
  assert.deepEqual(
    ["10 %\r20 %\r", "abc\rx", "abc\rxy\r\rz", "\rab", "", "\r\r", "abc\r\u001b[31mx", "\u001b[31mabc\rx"].map(
      overwritten,
    ),
    ["20 %", "xbc", "zyc", "ab", "", "", "\u001b[31mx", "x[31mabc"],
  );
  // Half an hour's work, were each part laid over all of the line.
  assert.equal(overwritten("x".repeat(2_000_000) + "\ry".repeat(1_000_000)).length, 2_000_000);
  assert.equal(overwritten("\r".repeat(2_000_000) + "x"), "x");
});
