/** Runs that halt before their queue is through. */
import assert from "node:assert/strict";
import { isHaltDue, parseHalt } from "../../src/scheduler/halt.ts";

Deno.test("parseHalt() takes the rules of GNU parallel and refuses all else", () => {
  const { when, why, number, isPercent } = parseHalt("now,success=25%");
  assert.deepEqual([when, why, number, isPercent], ["now", "success", 25, true]);
  assert.equal(parseHalt("soon,done=10").isPercent, false);
  for (
    const text of [
      "",
      "now",
      "soon,fail",
      "soon,fail=0",
      "never,fail=1",
      "now,lost=1",
      "soon,done=101%",
      "soon,fail=-1",
    ]
  ) {
    assert.throws(() => parseHalt(text), /to halt: give soon or now/, text);
  }
});

Deno.test("a part in hundredths counts of all jobs, and waits for three", () => {
  const counts = { fail: 2, success: 50, done: 52, total: 100 };
  assert.deepEqual(
    ["soon,fail=2", "soon,fail=3", "soon,fail=1%", "now,success=50%", "now,done=53%"].map((text) =>
      isHaltDue(parseHalt(text), counts)
    ),
    [true, false, false, true, false],
  );
  assert.ok(isHaltDue(parseHalt("soon,fail=1%"), { ...counts, fail: 3 }));
});
