import assert from "node:assert/strict";
import type { Mark } from "../../../scripts/bench/bench.ts";
import { compareWith, renderChanges } from "../../../scripts/bench/history.ts";

const RATE: Mark = { atLeast: 0.5 };
const TIME: Mark = { atMost: 2 };

function result(median: number, options: { mark?: Mark | null; spread?: number; to?: string | null } = {}) {
  const { mark = RATE, spread = 0.05, to = "floor" } = options;
  const answer = { of: "cms", to, mark, median, min: median - spread, max: median + spread, reached: null };
  return [{ bench: "dispatch", answers: [answer] }];
}

Deno.test("compareWith() takes a lower ratio of a rate for worse", () => {
  const changes = compareWith(result(0.7), result(0.5));
  assert.deepEqual(changes, [{ name: "dispatch: cms / floor", before: 0.7, now: 0.5, isWorse: true }]);
  assert.equal(renderChanges(changes), "WORSE  dispatch: cms / floor: 0.700 before, 0.500 now\n");
  assert.equal(compareWith(result(0.5), result(0.7))[0]!.isWorse, false);
});

Deno.test("compareWith() takes a higher time for worse", () => {
  assert.equal(compareWith(result(1, { mark: TIME }), result(2, { mark: TIME }))[0]!.isWorse, true);
  assert.equal(compareWith(result(2, { mark: TIME }), result(1, { mark: TIME }))[0]!.isWorse, false);
});

Deno.test("compareWith() takes what lies within the spread of either run for the same", () => {
  assert.equal(compareWith(result(0.7, { spread: 0.3 }), result(0.5))[0]!.isWorse, false);
  assert.equal(compareWith(result(0.7), result(0.5, { spread: 0.3 }))[0]!.isWorse, false);
});

Deno.test("compareWith() leaves out figures without a mark, and questions that only one run has", () => {
  assert.deepEqual(compareWith(result(1, { to: null, mark: null }), result(2, { to: null, mark: null })), []);
  assert.deepEqual(compareWith([], result(1)), []);
  assert.deepEqual(compareWith(result(1, { to: "peer" }), result(1)), []);
});
