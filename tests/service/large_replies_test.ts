/** Replies with many records are made piece by piece. */
import assert from "node:assert/strict";
import type { Job } from "../../src/job/job.ts";
import type { Clock } from "../../src/deps.ts";
import { inItsTurn } from "../../src/service/large_replies.ts";
import { jobsJson, jobsTable } from "../../src/service/records.ts";
import type { Service } from "../../src/service/service.ts";
import { withService } from "../../testing/service/service.ts";

Deno.test("tables and JSON of many jobs leave the turn to others every hundred jobs, and are as without", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    const query = new URLSearchParams({ name: "job[1-1000]", command: "x".repeat(100) });
    const table = await t.text(`POST /queue/a?${query}`);
    const jobs = Object.values(await t.json("GET /queue/a")).map((job) => ({ ...job as Job, extra: {} }));
    let count = 0;
    const pace = () => Promise.resolve(void count++);
    assert.equal(await jobsTable(jobs, pace), table);
    assert.ok(count >= 20, `${count}`);
    count = 0;
    const json = JSON.parse(await jobsJson(jobs, pace)) as Record<string, Job>;
    assert.deepEqual(Object.keys(json), jobs.map(({ name }) => name));
    assert.ok(count >= 10, `${count}`);
  });
});

Deno.test("a large reply rests after each piece, one is made at a time, and small ones wait for nobody", async () => {
  let nowMs = 0;
  let rests = 0;
  const clock = {
    now: () => nowMs += 5,
    sleepUntil: () => new Promise<void>((resolve) => void (rests++, setTimeout(resolve))),
  } as unknown as Clock;
  const service = { deps: { clock } } as unknown as Service;
  const order: string[] = [];
  const large = (name: string) =>
    inItsTurn(service, 1000, async (pace) => {
      for (let i = 0; i < 3; i++) {
        await pace();
        order.push(name);
      }
    });
  const both = Promise.all([large("a"), large("b")]);
  await inItsTurn(service, 10, () => Promise.resolve(void order.push("small")));
  await both;
  assert.deepEqual(order, ["small", "a", "a", "a", "b", "b", "b"]);
  assert.equal(rests, 6);
});
