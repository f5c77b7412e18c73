/** Windows of a queue's jobs, and what there is to look at. */
import assert from "node:assert/strict";
import { withService } from "../../../testing/service/service.ts";

const names = ({ rows }: { rows: { job: { name: string } }[] }): string[] => rows.map(({ job }) => job.name);

Deno.test("the first rows of a large queue come before its counts, unless it was read already", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    await t.text("POST /queue/a?name=job[1-1000]&command=true");
    // Another service has read nothing.
    await withService(
      async (fresh) => {
        const soon = await fresh.json("GET /queue/a/jobs?soon=true&offset=2&limit=2");
        assert.deepEqual([soon.total, soon.counts, soon.failed, names(soon)], [null, null, null, ["job3", "job4"]]);
        // What needs all of them comes with all of them.
        const sorted = await fresh.json("GET /queue/a/jobs?soon=true&sort=-name&limit=1");
        assert.deepEqual([sorted.total, sorted.counts.undefined, names(sorted)], [1000, 1000, ["job999"]]);
        const again = await fresh.json("GET /queue/a/jobs?soon=true&limit=1");
        assert.deepEqual([again.total, names(again)], [1000, ["job1"]]);
      },
      ({ deps }) => ({
        root: t.directory,
        deps: { ...deps, environment: { ...deps.environment, cwd: () => t.directory } },
      }),
    );
  });
});

Deno.test("a window is sorted by reason, too; all experiments are listed with their queues", async () => {
  await withService(async (t) => {
    for (const [name, at] of [["a", ""], ["b", ""], ["c", "&experiment=other"]]) {
      await t.text(`POST /queue/?name=${name}${at}`);
    }
    await t.text("POST /queue/a?name=job[1-3]&command=true");
    await t.text("PUT /queue/a/hold?name=job2");
    assert.deepEqual(names(await t.json("GET /queue/a/jobs?sort=-reason&limit=1")), ["job2"]);
    const { experiments } = await t.json("GET /experiments");
    assert.deepEqual(
      new Map(experiments.map((one: { experiment: string; queues: string[] }) => [one.experiment, one.queues])),
      new Map([["experiment", ["a", "b"]], ["other", ["c"]]]),
    );
  });
});
