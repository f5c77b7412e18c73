import assert from "node:assert/strict";
import type { JobName } from "../../src/names/grammar.ts";
import { NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import { job, slotHost, World } from "./world.ts";

import { names, runQuietly } from "./quiet.ts";

const RED = "pi@red";

Deno.test("directories are made ahead where one machine gets all jobs, and taken back for those that are not started", () => {
  const jobs = names(40).map((name) => job(name));
  const world = new World({ seed: 29, jobs, hosts: [slotHost("h1", RED)] });
  for (let i = 0; i < 500 && world.startOrder.length < 1; i++) world.tick(0);
  assert.deepEqual(world.prepared, new Set(names(40).slice(1)));
  world.jobs.delete("job7" as JobName);
  world.feed({ type: "external", external: { ...NO_EXTERNAL_CHANGES, deleted: ["job7" as JobName] } });
  assert.equal(world.prepared.has("job7"), false);
  world.feed({ type: "stop", signal: "SIGINT" });
  assert.deepEqual(world.prepared, new Set());
});

Deno.test("no directory is made ahead where several machines may get a job", () => {
  const hosts = [slotHost("h1", RED), slotHost("h2", "pi@red01")];
  const world = new World({ seed: 31, jobs: names(40).map((name) => job(name)), hosts });
  runQuietly(world);
  assert.equal(world.everPrepared, 0);
});
