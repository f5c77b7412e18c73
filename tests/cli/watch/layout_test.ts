/** The screen of `queue watch` for queues and sizes of all kinds, and its keys. */
import assert from "node:assert/strict";
import stringWidth from "string-width";
import { makeJob } from "../../../src/job/job.ts";
import type { JobName } from "../../../src/names/grammar.ts";
import type { JobState } from "../../../src/job/states.ts";
import { keysOf } from "../../../src/cli/watch/keys.ts";
import { clip, layout, type Look, selectable } from "../../../src/cli/watch/layout.ts";
import { QueueBoard } from "../../../src/operations/queue_board.ts";
import { addHosts } from "../../../src/operations/add_hosts.ts";
import { createCluster } from "../../../src/operations/create_cluster.ts";
import { createQueue } from "../../../src/operations/create_queue.ts";
import { clusterRef, queueRef } from "../../../src/operations/refs.ts";
import { openQueue } from "../../../src/store/queue_file.ts";
import { memoryDeps, MemoryFiles } from "../../../testing/memory_files.ts";

const LOOK: Look = { selected: null, isFailedOnly: false, message: "" };

async function boardOf(count: number, stateOf: (i: number) => JobState): Promise<QueueBoard> {
  const files = new MemoryFiles();
  await files.makeDirectory("/home/experiment");
  const deps = memoryDeps(files);
  const queue = queueRef(deps, { queue: "a", experiment: "/home/experiment" });
  await createQueue(deps, { queue });
  const store = await openQueue(deps, queue);
  await store.commit(() =>
    Array.from({ length: count }, (_, i) => {
      const status = stateOf(i);
      const isOver = status === "end";
      const job = {
        ...makeJob(`job${i}` as JobName, { command: "true" }, { id: `${i}`, experiment: "experiment" }),
        ...{ status, host: "red", user: "pi", attempt: 1, exit_code: isOver ? i % 2 : null },
        ...{
          started: "2026-01-31T12:00:00Z",
          ended: isOver ? `2026-01-31T12:${String(i % 60).padStart(2, "0")}:30Z` : null,
        },
      };
      return { type: "put", job } as const;
    })
  );
  store.close();
  const board = new QueueBoard(deps, queue);
  assert.deepEqual(await board.look(), []);
  return board;
}

Deno.test("layout() fills any screen to its size, no line is wider, and the chosen job is on it", async () => {
  const cases: readonly [count: number, stateOf: (i: number) => JobState][] = [
    [0, () => "ready"],
    [3, () => "ready"],
    [300, (i) => i < 40 ? "start" : i < 250 ? "end" : "ready"],
  ];
  for (const [count, stateOf] of cases) {
    const board = await boardOf(count, stateOf);
    for (const size of [{ columns: 80, rows: 24 }, { columns: 200, rows: 60 }, { columns: 20, rows: 8 }]) {
      for (const isFailedOnly of [false, true]) {
        const names = selectable(board, { isFailedOnly });
        for (
          const selected of [null, names[0] ?? null, names[Math.floor(names.length / 2)] ?? null, names.at(-1) ?? null]
        ) {
          const rows = layout("a", board, { ...LOOK, selected, isFailedOnly }, size);
          assert.equal(rows.length, size.rows);
          for (const { text } of rows) assert.ok(stringWidth(text) <= size.columns, text);
          assert.equal(rows.some(({ tone }) => tone === "selected"), selected !== null, `${selected} of ${count}`);
        }
      }
    }
    board.close();
  }
});

Deno.test("layout() shows counts, what runs and what failed", async () => {
  const board = await boardOf(6, (i) => i < 2 ? "start" : i < 5 ? "end" : "ready");
  const text = layout("a", board, LOOK, { columns: 80, rows: 24 }).map((row) => row.text).join("\n");
  assert.match(text, /^Queue a: no run works on it\n3 of 6 done, 2 running, 1 failed\n\[#+x+\.+\] {2}50 %\nHOST/);
  assert.match(text, /\npi@red {14} 2 {7}job0 {2}/);
  assert.match(text, /\njob3 +exit code 1 on pi@red/);
  const failed = layout("a", board, { ...LOOK, isFailedOnly: true }, { columns: 80, rows: 24 }).map((row) => row.text);
  assert.match(failed.join("\n"), /\nFAILED \(1\) .*\njob3 .*\n\n/);
  board.close();
});

Deno.test("the hosts of a run are told by the machine of each, also where one name has two addresses", async () => {
  const files = new MemoryFiles();
  await files.makeDirectory("/home/experiment");
  const deps = memoryDeps(files);
  const queue = queueRef(deps, { queue: "a", experiment: "/home/experiment" });
  const cluster = clusterRef(deps, { cluster: "c", experiment: "/home/experiment" });
  await createQueue(deps, { queue });
  await createCluster(deps, { cluster });
  const store = await openQueue(deps, queue);
  for (const i of [1, 2]) {
    await addHosts(deps, { cluster, id: `n${i}`, spec: { name: "node", user: "pi", ip: `10.0.0.${i}` } });
    const place = { status: "start", host: `10.0.0.${i}`, user: "pi", slot: `n${i}`, attempt: 1, boot: "b" } as const;
    const made = makeJob(`job${i}` as JobName, { command: "true" }, { id: `${i}`, experiment: "experiment" });
    await store.commit(() => [{ type: "put", job: { ...made, ...place } }]);
  }
  await store.claimRun("run", {
    ...{ scheduler: "fifo_multi", cluster: "c", slots: 2 },
    machines: { "pi@10.0.0.1": "up", "pi@10.0.0.2": "down" },
  });
  const board = new QueueBoard(deps, queue);
  await board.look();
  assert.deepEqual(board.hosts().map(({ name, trouble, jobs }) => [name, trouble, jobs.map((job) => job.name)]), [
    ["n1", "", ["job1"]],
    ["n2", "does not answer", ["job2"]],
  ]);
  board.close();
  store.close();
});

Deno.test("clip() cuts between whole characters", () => {
  assert.equal(clip("abc", 3), "abc");
  assert.equal(clip("abcd", 3), "abc");
  assert.equal(clip("日本語", 5), "日本");
  assert.equal(clip("e\u0301e\u0301", 1), "e\u0301");
});

Deno.test("keysOf() reads arrows of both kinds, and leaves out what it does not know", () => {
  assert.deepEqual(keysOf("\u001b[A\u001bOBq\r\u001b[5~\u001b[1;5C\u0003é"), [
    ...["up", "down", "q", "enter", "page up", "interrupt", "é"],
  ]);
  assert.deepEqual(keysOf("\u001b"), ["escape"]);
});
