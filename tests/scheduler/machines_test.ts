import assert from "node:assert/strict";
import { parseMachine } from "../../src/cluster/machine.ts";
import { Machines } from "../../src/scheduler/machines.ts";

const NAMES = ["a", "b", "c", "d"];

function keys(machines: Machines): string[] {
  return machines.restless().map(({ key }) => key);
}

Deno.test("restless() has the machines of which something may be due, in their order, and no other", () => {
  const machines = new Machines();
  const states = NAMES.map((name) => machines.of(parseMachine(name)));
  assert.deepEqual(keys(machines), NAMES);
  for (const state of states) {
    Machines.open(state, "1", 0);
    state.phase = "up";
  }
  assert.deepEqual(keys(machines), []);
  const [a, b, c, d] = states as [typeof states[0], typeof states[0], typeof states[0], typeof states[0]];
  d!.askAtMs = 5;
  b!.lookAtMs = 0;
  Machines.fail(c!, "cut", { nowMs: 0, lasting: false, timeoutMs: 1_000 });
  a!.phase = "asking";
  assert.deepEqual(keys(machines), NAMES);
  d!.askAtMs = null;
  b!.lookAtMs = null;
  a!.phase = "up";
  assert.deepEqual(keys(machines), ["c"]);
});

Deno.test("restless() has none that was forgotten, or goes by another key now, whatever is noted of it", () => {
  const machines = new Machines();
  const [a, b] = NAMES.map((name) => machines.of(parseMachine(name)));
  machines.forget("a");
  machines.join("b", "c");
  for (const state of [a!, b!]) Machines.close(state, 0);
  assert.deepEqual(keys(machines), ["c", "d"]);
  assert.equal(machines.get("b")?.key, "c");
});
