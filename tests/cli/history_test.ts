/** `cms queue history`: runs that were, that go on, and that were killed. */
import assert from "node:assert/strict";
import type { HistoryRow } from "../../src/operations/queue_history.ts";
import { storePaths } from "../../src/store/paths.ts";
import { readHistory, RunHistory } from "../../src/store/run_history.ts";
import { memoryDeps, MemoryFiles } from "../../testing/memory_files.ts";
import { type Place, withPlace } from "./harness.ts";

async function rows({ ok }: Place, ...words: string[]): Promise<HistoryRow[]> {
  return JSON.parse(await ok("queue", "history", "a", "--output=json", ...words)) as HistoryRow[];
}

Deno.test("queue history has each run with its counts and its end, the last one first", async () => {
  await withPlace(async (place) => {
    const { ok, run, directory } = place;
    await ok("queue", "create", "a");
    assert.equal(await ok("queue", "history", "a"), "INFO: Queue a was not run yet.\n");
    await ok("queue", "add", "a", "--name=good", "--command=true");
    await ok("queue", "add", "a", "--name=bad", "--command='exit 3'");
    await ok("queue", "add", "a", "--name=never", "--command=true", "--after=bad");
    await run("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    await ok("queue", "run", "fifo_multi", "a", "--hosts=localhost,localhost");
    const [last, first] = await rows(place);
    assert.deepEqual(
      [first?.ran, first?.failed, first?.waiting, first?.outcome, first?.slots, first?.machines],
      [2, 1, 0, "done", 1, ["localhost"]],
    );
    assert.deepEqual([last?.ran, last?.outcome, last?.slots, last?.by], [0, "done", 2, "tester@manager"]);
    assert.match(last?.began ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(await ok("queue", "status", "a"), /^Last run: done at .*, 0 ran, 0 failed, 0 waiting$/m);
    // A run that was killed leaves its begin alone.
    const file = `${directory}/experiment/.a-queue.history`;
    const [begin = ""] = (await Deno.readTextFile(file)).split("\n");
    await Deno.writeTextFile(file, `${begin.replace(/"run":"[^"]+"/, '"run":"gone"')}\n{"half`, { append: true });
    assert.deepEqual((await rows(place, "--limit=1")).map(({ outcome, ended }) => [outcome, ended]), [[
      "killed",
      null,
    ]]);
    assert.match(await ok("queue", "history", "a"), /^\+-+.*\n\| began +\| ended.*outcome +\|\n/);
    assert.equal((await run("queue", "history", "none")).status, 2);
  });
});

Deno.test("the history is kept small, and a run goes on where it cannot be written", async () => {
  const files = new MemoryFiles();
  await files.makeDirectory("/home/experiment");
  const deps = memoryDeps(files);
  const paths = storePaths({ experiment: "experiment", directory: "/home/experiment", name: "a" }, "queue");
  const begin = { pid: 1, by: "pi@manager", scheduler: "fifo", cluster: null, slots: 1 };
  for (let i = 0; i < 600; i++) {
    const history = new RunHistory(deps, paths, `r${i}`);
    await history.begin({ run: `r${i}`, ...begin });
    await history.end({ outcome: "done", ran: i, failed: 0, waiting: 0, machines: ["pi@red"] });
  }
  const runs = await readHistory(deps, paths);
  assert.equal(runs.at(-1)?.end?.ran, 599);
  assert.ok(runs.length >= 100 && runs.length < 500, `${runs.length}`);
  assert.ok((await files.stamp(paths.history))!.sizeBytes < 70_000);
  const full = {
    ...deps,
    files: Object.assign(new MemoryFiles(), { openAppend: () => Promise.reject(new Error("full")) }),
  };
  await new RunHistory(full, paths, "r").begin({ run: "r", ...begin });
});
