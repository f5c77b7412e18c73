import assert from "node:assert/strict";
import { hostOfMachine, isElsewhere, machineOfBoot } from "../../src/agent/boot.ts";

Deno.test("isElsewhere() tells another machine from one that was booted or renamed", () => {
  assert.equal(isElsewhere("red+01234567/a.1", "red+01234567/a.1"), false);
  assert.equal(isElsewhere("red+01234567/a.1", "red+01234567/b.1"), false, "booted");
  assert.equal(isElsewhere("red+01234567/a.1", "blue+01234567/a.1"), false, "renamed");
  assert.equal(isElsewhere("red+01234567/a.1", "red+89abcdef/b.1"), true, "equal host names");
  assert.equal(isElsewhere("red/a.1", "blue/b.1"), true);
  // Records of before, and machines that were never heard of.
  for (
    const [recorded, present] of [["a.1", "red/b.1"], ["red/a.1", "b.1"], [null, "red/b.1"], ["red/a.1", null]] as const
  ) {
    assert.equal(isElsewhere(recorded, present), false);
  }
});

Deno.test("hostOfMachine() leaves out the part of the machine-id, and nothing of a name", () => {
  assert.equal(hostOfMachine(machineOfBoot("red+01234567/a.1")!), "red");
  assert.equal(hostOfMachine("red-01234567"), "red-01234567");
});
