import assert from "node:assert/strict";
import { parseOptions } from "../../../scripts/torture/options.ts";

Deno.test("parseOptions() of the campaign takes what is given and fills in the rest", () => {
  assert.deepEqual(parseOptions([], 9), {
    seed: 9,
    minutes: 5,
    hosts: 4,
    jobs: 300,
    only: [],
    sharedHome: false,
    slurm: false,
    readers: 0,
    tries: false,
    keep: false,
    service: false,
    large: false,
  });
  assert.deepEqual(
    parseOptions([
      "--seed=7",
      "--minutes",
      "0.5",
      "--hosts=2",
      "--jobs=10",
      "--only=cut,kill",
      "--shared-home",
      "--readers=5",
      "--keep",
    ], 9),
    {
      seed: 7,
      minutes: 0.5,
      hosts: 2,
      jobs: 10,
      only: ["cut", "kill"],
      sharedHome: true,
      slurm: false,
      readers: 5,
      tries: false,
      keep: true,
      service: false,
      large: false,
    },
  );
  assert.equal(parseOptions(["--help"], 9), "help");
});

Deno.test("parseOptions() of the campaign refuses the rest in one line", () => {
  for (
    const bad of [
      "--seed=-1",
      "--seed=4294967296",
      "--minutes=0",
      "--minutes=x",
      "--hosts=17",
      "--jobs=0",
      "--readers=-1",
      "--no",
      "x",
    ]
  ) {
    assert.throws(() => parseOptions([bad], 9), (error: Error) => error instanceof RangeError, bad);
  }
});
