import assert from "node:assert/strict";
import { filesOf, machineOfPlace, placeOf } from "../../src/cluster/slurm_place.ts";
import { machineText, parseMachine } from "../../src/cluster/machine.ts";

Deno.test("The machine of an allocation's node is found again by its name alone", () => {
  const login = { user: "me", name: "login.example.org", address: null };
  for (const [link, way] of [["srun", "slurm"], ["ssh", "slurm-ssh"]] as const) {
    const place = { node: "gpu-n17", job: "81234", login, link };
    const machine = machineOfPlace(place);
    assert.deepEqual(machineText(machine), `me@gpu-n17.81234.${way}.login.example.org`);
    assert.deepEqual(placeOf(parseMachine(machineText(machine))), place);
    assert.deepEqual(filesOf(machine), login);
  }
});

Deno.test("Other machines are no nodes", () => {
  for (const name of ["red", "localhost", "a.slurm.b", "n1.x12.slurm.b", "n1.12.slurm-x.b", "1.slurm.b"]) {
    const machine = { user: "me", name, address: null };
    assert.deepEqual(placeOf(machine), null, name);
    assert.deepEqual(filesOf(machine), machine);
  }
});
