import assert from "node:assert/strict";
import { isInFlight, isJobState, isWaiting, JOB_STATES, mayMove, waitingState } from "../../src/job/states.ts";

Deno.test("mayMove() lets a job take the way of the document and no short cut", () => {
  const allowed = JOB_STATES.flatMap((from) =>
    JOB_STATES.filter((to) => mayMove(from, to)).map((to) => `${from}>${to}`)
  );
  assert.deepEqual(allowed, [
    "undefined>ready",
    "undefined>run",
    "undefined>fail_start",
    "ready>undefined",
    "ready>run",
    "ready>fail_start",
    "run>undefined",
    "run>ready",
    "run>start",
    "run>end",
    "run>kill",
    "run>fail_start",
    "run>crash",
    "start>end",
    "start>kill",
    "start>crash",
    "end>undefined",
    "end>ready",
    "kill>undefined",
    "kill>ready",
    "fail_start>undefined",
    "fail_start>ready",
    "crash>undefined",
    "crash>ready",
    "crash>start",
    "crash>end",
    "crash>kill",
  ]);
});

Deno.test("a state is waiting, in flight, or over", () => {
  assert.deepEqual(JOB_STATES.filter(isWaiting), ["undefined", "ready"]);
  assert.deepEqual(JOB_STATES.filter(isInFlight), ["run", "start"]);
  assert.equal(isJobState("start"), true);
  assert.equal(isJobState("Start"), false);
});

Deno.test("waitingState() is ready only with both a user and a host", () => {
  assert.equal(waitingState({ user: "pi", host: "red" }), "ready");
  for (const half of [{ user: "pi", host: null }, { user: null, host: "red" }, { user: "", host: "red" }]) {
    assert.equal(waitingState(half), "undefined");
  }
});
