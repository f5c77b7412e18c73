import assert from "node:assert/strict";
import { Gate } from "../../src/link/gate.ts";

Deno.test("Gate lets in as many as it has places, in order, also after one that failed", async () => {
  const gate = new Gate(2);
  const order: number[] = [];
  const doors = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const passing = doors.map((door, i) =>
    gate.pass(() => {
      order.push(i);
      return door.promise;
    }).catch(() => {})
  );
  await Promise.resolve();
  assert.deepEqual(order, [0, 1]);
  doors[1]?.reject(new Error("failed"));
  await passing[1];
  assert.deepEqual(order, [0, 1, 2]);
  assert.equal(gate.isEmpty(2), false);
  for (const door of doors) door.resolve();
  await Promise.all(passing);
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
  assert.equal(gate.isEmpty(2), true);
});
