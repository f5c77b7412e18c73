/** The service under all that strangers and users may do at once, for a moment. */
import assert from "node:assert/strict";
import { needTest, whyNoPrograms } from "../../../testing/need.ts";
import { mix } from "../../../scripts/torture/service/large.ts";
import { brokenIn, MEMORY_MB, soak } from "../../../scripts/torture/service/soak.ts";
import { TROUBLES } from "../../../scripts/torture/service/troubles.ts";

const MINUTES = 0.25;
const why = Deno.build.os === "linux" ? whyNoPrograms("setsid", "nice", "mkfifo") : "needs /proc";

needTest(
  "all troubles at once leave the executable below its bounds of memory and files, and it gives both back",
  why,
  async () => {
    const soaked = await soak(MINUTES, () => {});
    assert.deepEqual(brokenIn(soaked), []);
    assert.deepEqual(Object.keys(soaked.times), TROUBLES.map(({ name }) => name));
    assert.ok([...soaked.seen.values()].every(({ ms }) => ms.length > 0));
  },
);

needTest(
  "requests of all kinds at once on large queues leave the executable below its bound of memory",
  why,
  async () => {
    const { quiet, most, statuses, faults } = await mix({ queues: 4, jobs: 60_000, minutes: MINUTES }, () => {});
    assert.ok(quiet < most && most < MEMORY_MB, `${most} MB`);
    assert.equal(statuses.get("500") ?? 0, 0);
    assert.deepEqual(faults, []);
  },
);
