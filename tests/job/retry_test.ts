/** When a job is tried again, also where the wall clock was set meanwhile. */
import assert from "node:assert/strict";
import { makeJob } from "../../src/job/job.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { dueMs, nextTry } from "../../src/job/retry.ts";

const AT_MS = Date.parse("2026-01-31T12:00:00Z");

Deno.test("dueMs() keeps the time that was written down, but waits no longer than a try may wait", () => {
  const job = {
    ...makeJob("a" as JobName, { command: "false" }, { id: "0".repeat(32), experiment: "experiment" }),
    retries: 3,
    retry_delay: "20s",
  };
  const end = { cause: "exit", exitCode: 1, reason: null, started: null, ended: null } as const;
  const next = { ...job, ...nextTry(job as never, end, AT_MS)! } as never;
  const wanted = Date.parse((next as { not_before: string }).not_before);
  assert.ok(wanted >= AT_MS + 15_000 && wanted <= AT_MS + 26_000);
  assert.equal(dueMs(next, AT_MS, 0), wanted);
  assert.equal(dueMs(next, 5_000, AT_MS - 5_000), wanted - AT_MS + 5_000, "by a clock of another origin");
  assert.equal(dueMs(next, AT_MS + 3_600_000, 0), wanted, "long ago");
  const setBack = dueMs(next, AT_MS - 7_200_000, 0) - (AT_MS - 7_200_000);
  assert.ok(setBack > 10_000 && setBack <= 26_000, `${setBack}`);
});
