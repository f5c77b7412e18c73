/** How many requests are worked on at once, and how many wait: what is beyond is refused, and keeps nobody else. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import type { Connect } from "../../src/link/link.ts";
import { waitUntil } from "../../testing/wait.ts";
import { type TestService, withService } from "../../testing/service/service.ts";

const SILENT: Connect = () => new Promise(() => {});

/** Calls `use` with a service in which nothing answers that is asked of the directory `slow`, until `go` is called. */
async function withSlow(use: (t: TestService, go: () => void) => Promise<void>): Promise<void> {
  const gate = Promise.withResolvers<void>();
  const slowly =
    <A extends unknown[], R>(call: (path: string, ...more: A) => Promise<R>) =>
    async (path: string, ...more: A): Promise<R> => {
      if (path.includes("/slow")) await gate.promise;
      return await call(path, ...more);
    };
  await withService(async (t) => {
    try {
      await use(t, gate.resolve);
    } finally {
      gate.resolve();
    }
  }, ({ deps }) => {
    const { files } = deps;
    const slow: Deps["files"] = {
      ...files,
      list: slowly((path) => files.list(path)),
      stamp: slowly((path) => files.stamp(path)),
      realPath: slowly((path) => files.realPath(path)),
    };
    return { deps: { ...deps, files: slow }, connect: SILENT };
  });
}

/** Asks all at once. `answered`: the statuses so far. */
function askAll(t: TestService, lines: readonly string[]): { answered: number[]; all: Promise<unknown> } {
  const answered: number[] = [];
  const all = Promise.all(lines.map((line) => t.ask(line).then(({ status }) => answered.push(status))));
  return { answered, all };
}

for (
  const { what, line, most, other } of [
    { what: "that read", line: "GET /queue/?experiment=slow", most: 512 + 512, other: "POST /queue/?name=b" },
    { what: "that write", line: "POST /queue/?name=b&experiment=slow", most: 64 + 256, other: "GET /queue/" },
  ]
) {
  Deno.test(`of the requests ${what}, ${most} are worked on or wait; the next is refused, others are answered`, async () => {
    await withSlow(async (t, go) => {
      await t.text("POST /queue/?name=a");
      const { answered, all } = askAll(t, Array.from({ length: most + 3 }, () => line));
      await waitUntil("the refusals", () => answered.length === 3, { limitMs: 60_000 });
      await t.text(other);
      await t.text("GET /healthz");
      assert.deepEqual(answered, [503, 503, 503]);
      go();
      await all;
      assert.equal(answered.filter((status) => status === 503).length, 3);
      // All places are given back.
      assert.notEqual((await t.ask(line)).status, 503);
    });
  });
}

Deno.test("of the requests that wait for hosts, 256 are worked on or wait; the next is refused, others are answered", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    const jobs = Array.from({ length: 32 }, (_, i) => i + 1);
    const entries = jobs.map((i) =>
      `job${i}:\n  name: job${i}\n  id: a${i}\n  status: end\n  command: x\n  user: pi\n  host: silent${i}\n` +
      `  attempt: 1\n  output: job${i}.out\n  log: job${i}.log\n  experiment: experiment\n`
    );
    await Deno.writeTextFile(`${t.directory}/experiment/silent-queue.yaml`, entries.join(""));
    // Of each machine fewer than may wait for it, and one too many in all.
    const lines = jobs.flatMap((i) => Array(8).fill(`GET /queue/silent/job/job${i}/output`) as string[]);
    const { answered } = askAll(t, [...lines, lines[0]!]);
    await waitUntil("the refusal", () => answered.length === 1, { limitMs: 60_000 });
    for (const line of ["GET /queue/a", "POST /queue/a?name=x&command=true", "GET /metrics", "GET /healthz"]) {
      await t.text(line);
    }
    assert.deepEqual(answered, [503]);
  }, () => ({ connect: SILENT }));
});

Deno.test("64 requests wait for jobs; the next is refused, others are answered", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    await t.text("POST /queue/a?name=job1&command=true");
    const { answered, all } = askAll(t, Array(66).fill("GET /queue/a/wait?name=job1&timeout=3"));
    await waitUntil("the refusals", () => answered.length === 2);
    await t.text("GET /queue/a");
    assert.deepEqual(answered, [503, 503]);
    await all;
    assert.equal(answered.filter((status) => status === 503).length, 2);
  });
});

Deno.test("a directory has 5,000 streams of events; the next is refused, others are answered", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    const streams: Response[] = [];
    // As many at a time as may be worked on.
    while (streams.length < 5_000) {
      streams.push(...await Promise.all(Array.from({ length: 250 }, () => t.ask("GET /events"))));
    }
    assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200]));
    assert.equal((await t.ask("GET /events")).status, 503);
    await t.text("GET /queue/a");
    await Promise.all(streams.map(({ body }) => body?.cancel()));
    const again = await t.ask("GET /events");
    assert.equal(again.status, 200);
    await again.body?.cancel();
  });
});
