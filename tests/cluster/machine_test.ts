import assert from "node:assert/strict";
import { machineKey, tellApart } from "../../src/cluster/machine.ts";

Deno.test("tellApart() names machines by their addresses where one name has several", () => {
  const at = (name: string, address: string | null) => ({ user: "pi", name, address });
  const names = (...machines: ReturnType<typeof at>[]) => tellApart(machines).map(machineKey);
  assert.deepEqual(names(at("node", "10.0.0.1"), at("node", "10.0.0.2")), ["pi@10.0.0.1", "pi@10.0.0.2"]);
  assert.deepEqual(names(at("node", null), at("node", "[fe80::1%br-lan]")), ["pi@node", "pi@fe80::1%br-lan"]);
  assert.deepEqual(names(at("node", "10.0.0.1"), at("node", "10.0.0.1")), ["pi@node", "pi@node"]);
  assert.deepEqual(names(at("localhost", "10.0.0.1"), at("localhost", null)), ["localhost", "localhost"]);
  assert.equal(tellApart([at("node", "10.0.0.1"), at("node", null)])[0]?.alias, "node");
});
