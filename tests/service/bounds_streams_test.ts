/**
 * Bounds of the executable that is shipped on what stays open or makes large replies: streams of events, queues that
 * pages look at, lists, questions, checks and pushes.
 */
import assert from "node:assert/strict";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { type Executable, LIMIT_MS, withExecutable } from "../../testing/service/executable.ts";
import { ask, askAtOnce, closeAll, countOf, HEAD, type Held, statusesOf } from "../../testing/service/held.ts";
import { waitUntil } from "../../testing/wait.ts";

/** Rounds of 0.8 MB of events each: more than the systems on both sides of a connection keep. */
const MOST_ROUNDS = 10;

const why = Deno.build.os === "linux" ? null : "needs Linux";

/** Writes queues as a person has them. */
function writeQueues(service: Executable, names: readonly string[], text: string): void {
  Deno.mkdirSync(`${service.directory}/experiment`, { recursive: true });
  for (const name of names) Deno.writeTextFileSync(`${service.directory}/experiment/${name}-queue.yaml`, text);
}

/** Clients that follow events of the directory `experiment`, as the service counts them. */
async function streamsOf(service: Executable): Promise<number> {
  const text = await (await service.ask("GET /metrics", { limitMs: 2 * LIMIT_MS })).text();
  return Number(/^cms_event_streams\S* (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Takes what comes until a word has, or until the end. @throws {Error} If the end comes before the word. */
async function takeUntil(connection: Deno.TcpConn, word: string | null): Promise<void> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let last = "";
  while (true) {
    const n = await connection.read(buffer).catch(() => null);
    if (n === null && word !== null) throw new Error(`The stream has ended without ${word}`);
    if (n === null) return;
    last = last.slice(-100) + decoder.decode(buffer.subarray(0, n), { stream: true });
    if (word !== null && last.includes(word)) return;
  }
}

/** The statuses of requests, when all have come. */
async function answersTo(service: Executable, ...lines: readonly string[]): Promise<string[]> {
  const all = await ask(service, lines);
  await waitUntil("all answers", () => statusesOf(all).length === lines.length, { limitMs: LIMIT_MS });
  return statusesOf(all);
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `q${i}`);

needTest("pages look at 256 queues; of one more they are refused, until one is left alone", why, async () => {
  await withExecutable(async (service) => {
    const queues = names(258);
    writeQueues(service, queues, "job1: {name: job1, command: x}\n");
    const [first, most] = [
      await ask(service, ["GET /queue/q0/live"]),
      await ask(service, queues.slice(1, 256).map((name) => `GET /queue/${name}/live`)),
    ];
    await waitUntil("all streams", () => countOf(first, 200) + countOf(most, 200) === 256, { limitMs: LIMIT_MS });
    // Another page of a queue is no other queue.
    assert.deepEqual(await answersTo(service, "GET /queue/q256/live", "GET /queue/q255/live"), ["503", "200"]);
    assert.equal((await service.ask("GET /queue/q256")).status, 200);
    closeAll(first);
    await waitUntil("a place", async () => (await answersTo(service, "GET /queue/q257/live"))[0] === "200");
  }, { before: "ulimit -n 8192" });
});

needTest("a directory has 5,000 streams of events; the next is refused, others are answered", why, async () => {
  await withExecutable(async (service) => {
    assert.equal((await service.ask("POST /queue/?name=a")).status, 200);
    const most: Held[] = [];
    while (most.length < 5_000) {
      most.push(...await ask(service, Array(250).fill("GET /events")));
      await waitUntil("their begins", () => countOf(most, 200) === most.length, { limitMs: LIMIT_MS });
    }
    assert.deepEqual(await answersTo(service, "GET /events", "GET /queue/a"), ["503", "200"]);
    closeAll(most);
    await waitUntil("a place", async () => (await answersTo(service, "GET /events"))[0] === "200");
  }, { before: "ulimit -n 16384" });
});

needTest("of events more than a MiB waits for no client that takes none; who takes them gets all", why, async () => {
  await withExecutable(async (service) => {
    assert.equal((await service.ask("POST /queue/?name=a")).status, 200);
    const [slow, reader] = [
      await service.send(`GET /events ${HEAD}\r\n`),
      await service.send(`GET /events ${HEAD}\r\n`),
    ];
    await waitUntil("both streams", async () => await streamsOf(service) === 2);
    // What the system keeps for a client comes before that: some MB. So it is not the rule that ends who takes nothing
    // from one sign of life to the next.
    for (let i = 0; i < MOST_ROUNDS && await streamsOf(service) === 2; i++) {
      const name = (j: number | string) => `round${i}_${"x".repeat(60)}_${j}`;
      const jobs = new URLSearchParams({ name: name("[1-4000]"), command: "x" });
      const taken = takeUntil(reader, `"${name(4_000)}"`);
      taken.catch(() => {});
      assert.equal((await service.ask(`POST /queue/a?${jobs}`, { limitMs: 4 * LIMIT_MS })).status, 200);
      await taken;
    }
    assert.equal(await streamsOf(service), 1);
    // No more comes than the system had.
    await takeUntil(slow, null);
  });
});

needTest("of events more than 64 MiB waits for no clients together; who takes them gets all", why, async () => {
  await withExecutable(async (service) => {
    const word = (i: number) => `job${i}_`.padEnd(200, "x");
    const jobs = Array.from({ length: 60_000 }, (_, i) => `${word(i)}: {name: ${word(i)}, command: x}\n`);
    writeQueues(service, ["a"], jobs.join(""));
    writeQueues(service, ["b"], "{}\n");
    const reader = await service.send(`GET /events?queue=b ${HEAD}\r\n`);
    const sought = takeUntil(reader, '"the_last_one"');
    sought.catch(() => {});
    await waitUntil("its stream", async () => await streamsOf(service) === 1, { limitMs: 2 * LIMIT_MS });
    // Each begins with the state of all jobs, of 13 MB: for six of them there is no room.
    const begun = await ask(service, Array(8).fill("GET /events?queue=a"));
    await waitUntil("their begins", () => begun.every(({ text, isOver }) => text !== "" || isOver), {
      limitMs: LIMIT_MS,
    });
    assert.ok(await streamsOf(service) < 1 + 6);
    assert.equal((await service.ask("POST /queue/b?name=the_last_one&command=x")).status, 200);
    await sought;
  });
});

needTest("of large lists one is made and 256 wait; more are refused, and small ones wait for nobody", why, async () => {
  await withExecutable(async (service) => {
    // So small that many of them may be held, and so many that they are made one after the other.
    const jobs = Array.from({ length: 1_500 }, (_, i) => `j${i}: {name: j${i}, command: x}\n`);
    writeQueues(service, ["large"], jobs.join(""));
    writeQueues(service, ["small"], "job1: {name: job1, command: x}\n");
    for (const name of ["large", "small"]) assert.equal((await service.ask(`GET /queue/${name}/info`)).status, 200);
    await waitUntil("refusals", async () => {
      const lists = await askAtOnce(service, Array(400).fill("GET /queue/large/info"));
      assert.equal((await service.ask("GET /queue/small/info")).status, 200);
      await waitUntil("all answers", () => statusesOf(lists).length === lists.length, { limitMs: 4 * LIMIT_MS });
      const [made, refused] = [countOf(lists, 200), countOf(lists, 503)];
      closeAll(lists);
      assert.ok(made >= 1 + 256 && made + refused === lists.length, `${made} were made, ${refused} refused`);
      return refused > 0;
    }, { limitMs: 4 * LIMIT_MS });
  }, { before: "ulimit -n 8192" });
});

needTest("of questions about all of a queue two are worked on at once", why, async () => {
  await withExecutable(async (service) => {
    const queues = names(8);
    const jobs = Array.from({ length: 3_000 }, (_, i) => `job${i}: {name: job${i}, command: x, user: pi, host: h}\n`);
    writeQueues(service, queues, jobs.join(""));
    // The first read of a file since it was written changes the time of its last use.
    const uses = () =>
      queues.filter((name) => {
        const { atime, mtime } = Deno.statSync(`${service.directory}/experiment/${name}-queue.yaml`);
        return atime!.getTime() > mtime!.getTime();
      }).length;
    const asked = await askAtOnce(service, queues.map((name) => `PUT /queue/${name}/plan?max_parallel=4&duration=10m`));
    await waitUntil("an answer", () => statusesOf(asked).length > 0, { limitMs: 2 * LIMIT_MS });
    const [some, answered] = [uses(), statusesOf(asked).length];
    // The two, and those that took the places of the answered ones.
    assert.ok(some <= 2 + 2 * answered && some < queues.length, `${some} were read when ${answered} were answered`);
    await waitUntil("all answers", () => countOf(asked, 200) === queues.length, { limitMs: 4 * LIMIT_MS });
    assert.equal(uses(), queues.length);
  });
});

/** An ssh that notes what it was asked for, and waits while the file `hold` is there. */
const SSH = `#!/bin/sh
bin=$(dirname "$0")
echo "$*" >>"$bin/log"
while [ -e "$bin/hold" ]; do sleep 0.05; done
exit 255
`;

needTest(
  "of a cluster one check and one push work and 31 of each wait; four checks in all are made at once",
  why ?? whyNoPrograms("tar"),
  async () => {
    const bin = await Deno.makeTempDir({ prefix: "cms-bounds-" });
    try {
      await Deno.writeTextFile(`${bin}/ssh`, SSH, { mode: 0o755 });
      await Deno.writeTextFile(`${bin}/hold`, "");
      const begun = () => Deno.readTextFileSync(`${bin}/log`).split("\n").filter((line) => /\bq[1-5]\b/.test(line));
      await withExecutable(async (service) => {
        await Deno.writeTextFile(`${service.directory}/data`, "x");
        for (const name of names(6)) {
          assert.equal((await service.ask(`POST /cluster/?name=${name}`)).status, 200);
          assert.equal((await service.ask(`POST /cluster/${name}?id=h&name=${name}&user=pi`)).status, 200);
        }
        const pushes = await ask(service, Array(1 + 31 + 1).fill("PUT /cluster/q0/push?path=data"));
        const checks = await ask(service, Array(1 + 31 + 1).fill("GET /cluster/q0/check"));
        await waitUntil("both refusals", () => countOf(pushes, 503) + countOf(checks, 503) === 2, {
          limitMs: LIMIT_MS,
        });
        checks.push(...await ask(service, names(6).slice(1).map((name) => `GET /cluster/${name}/check`)));
        await waitUntil("as many checks as may be", () => begun().length >= 3);
        for (const line of ["GET /healthz", "GET /queue/", "POST /queue/?name=a", "GET /cluster/q0"]) {
          assert.equal((await service.ask(line)).status, 200, line);
        }
        // One of the first cluster is the fourth.
        assert.equal(begun().length, 3);
        assert.deepEqual([statusesOf(pushes), statusesOf(checks)], [["503"], ["503"]]);
        await Deno.remove(`${bin}/hold`);
        await waitUntil("all checks", () => countOf(checks, 200) === 32 + 5, { limitMs: 4 * LIMIT_MS });
        await waitUntil("a push", () => countOf(pushes, 200) > 0, { limitMs: LIMIT_MS });
      }, { before: `ulimit -n 4096; CMS_SSH='${bin}/ssh'; export CMS_SSH` });
    } finally {
      await Deno.remove(bin, { recursive: true });
    }
  },
);

needTest("ran leaves out the jobs of further queues when its reply is longer than 16 MiB", why, async () => {
  await withExecutable(async (service) => {
    const job = (name: string, command: string) =>
      `${name}: {name: ${name}, id: a1, status: ready, command: ${command}, user: me, host: localhost}\n`;
    const long = Array.from({ length: 180 }, (_, i) => job(`job${i}`, "x".repeat(99_000)));
    writeQueues(service, ["x1"], long.join(""));
    writeQueues(service, ["x2"], job("job1", "true"));
    const about = { scheduler: "fifo", cluster: null, slots: 1, machines: {} };
    for (const name of ["x1", "x2"]) {
      const run = JSON.stringify({ pid: 1, hostname: "manager", run: "r1", about });
      await Deno.writeTextFile(`${service.directory}/experiment/.${name}-queue.run`, run);
    }
    const reply = await service.ask("PUT /queue/ran", { headers: { accept: "application/json" } });
    const { runs } = await reply.json() as { runs: { queue: string; jobs: object | null }[] };
    const counts = runs.map(({ queue, jobs }) => [queue, jobs === null ? null : Object.keys(jobs).length]);
    assert.deepEqual(counts, [["x1", 180], ["x2", null]]);
  });
});
