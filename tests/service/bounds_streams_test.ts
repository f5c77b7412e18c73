/**
 * Bounds of the executable that is shipped on what stays open or makes large replies: streams of events, queues that
 * pages look at, lists, questions, checks and pushes.
 */
import assert from "node:assert/strict";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { close, type Executable, LIMIT_MS, receive, withExecutable } from "../../testing/service/executable.ts";
import { RIGHT } from "../../testing/service/service.ts";
import { waitUntil } from "../../testing/wait.ts";

const why = Deno.build.os === "linux" ? null : "needs Linux";
const HEAD = `HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${RIGHT}\r\n`;

/** Requests on connections of their own, and the begins of their replies as they come. */
class Asked {
  readonly #all: { readonly connection: Deno.TcpConn; text: string; isOver: boolean }[] = [];
  readonly #service: Executable;

  constructor(service: Executable) {
    this.#service = service;
  }

  /** Asks, and takes what comes. */
  async ask(...lines: readonly string[]): Promise<void> {
    for (const line of lines) this.#take(await this.#service.send(`${line} ${HEAD}\r\n`));
  }

  /** Asks all in one moment, so that all are there before one is answered. */
  async askAtOnce(lines: readonly string[]): Promise<void> {
    const connections = await Promise.all(lines.map((line) => this.#service.send(`${line} ${HEAD}`)));
    assert.equal((await this.#service.ask("GET /healthz")).status, 200);
    Deno.kill(this.#service.pid, "SIGSTOP");
    try {
      await Promise.all(connections.map((connection) => connection.write(new TextEncoder().encode("\r\n"))));
    } finally {
      Deno.kill(this.#service.pid, "SIGCONT");
    }
    connections.forEach((connection) => this.#take(connection));
  }

  /** The statuses so far, in the order of the requests. */
  get statuses(): string[] {
    return this.#all.flatMap(({ text }) => text === "" ? [] : [text.slice(9, 12)]);
  }

  count(status: string): number {
    return this.statuses.filter((one) => one === status).length;
  }

  close(): void {
    for (const { connection } of this.#all.splice(0)) close(connection);
  }

  #take(connection: Deno.TcpConn): void {
    const one = { connection, text: "", isOver: false };
    this.#all.push(one);
    void receive(connection, (text) => (one.text = text).includes("\r\n\r\n"), 20 * LIMIT_MS).catch(() => {});
  }
}

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

const names = (count: number) => Array.from({ length: count }, (_, i) => `q${i}`);

needTest("pages look at 256 queues; of one more they are refused, until one is left alone", why, async () => {
  await withExecutable(async (service) => {
    const queues = names(258);
    writeQueues(service, queues, "job1: {name: job1, command: x}\n");
    const [first, most] = [new Asked(service), new Asked(service)];
    await first.ask(`GET /queue/q0/live`);
    await most.ask(...queues.slice(1, 256).map((name) => `GET /queue/${name}/live`));
    await waitUntil("all streams", () => first.count("200") + most.count("200") === 256, { limitMs: LIMIT_MS });
    const more = new Asked(service);
    // Another page of a queue is no other queue.
    await more.ask("GET /queue/q256/live", "GET /queue/q255/live");
    await waitUntil("both answers", () => more.statuses.length === 2);
    assert.deepEqual(more.statuses, ["503", "200"]);
    assert.equal((await service.ask("GET /queue/q256")).status, 200);
    first.close();
    await waitUntil("a place", async () => {
      const again = new Asked(service);
      await again.ask("GET /queue/q257/live");
      await waitUntil("its answer", () => again.statuses.length === 1);
      return again.count("200") === 1;
    });
  }, { before: "ulimit -n 8192" });
});

needTest("a directory has 5,000 streams of events; the next is refused, others are answered", why, async () => {
  await withExecutable(async (service) => {
    assert.equal((await service.ask("POST /queue/?name=a")).status, 200);
    const most = new Asked(service);
    for (let i = 0; i < 5_000; i += 250) {
      await most.ask(...Array(250).fill("GET /events"));
      await waitUntil("their begins", () => most.count("200") === i + 250, { limitMs: LIMIT_MS });
    }
    const more = new Asked(service);
    await more.ask("GET /events", "GET /queue/a");
    await waitUntil("both answers", () => more.statuses.length === 2);
    assert.deepEqual(more.statuses, ["503", "200"]);
    most.close();
    await waitUntil("a place", async () => {
      const again = new Asked(service);
      await again.ask("GET /events");
      await waitUntil("its answer", () => again.statuses.length === 1);
      return again.count("200") === 1;
    });
  }, { before: "ulimit -n 16384" });
});

needTest("of events more than a MiB waits for no client that takes none; who takes them gets all", why, async () => {
  await withExecutable(async (service) => {
    assert.equal((await service.ask("POST /queue/?name=a")).status, 200);
    const slow = await service.send(`GET /events ${HEAD}\r\n`);
    const reader = await service.send(`GET /events ${HEAD}\r\n`);
    await waitUntil("both streams", async () => await streamsOf(service) === 2);
    const sought = takeUntil(reader, "the_last_one");
    let isCut = false;
    // What the system keeps for a client comes before that.
    for (let i = 0; i < 12; i++) {
      const jobs = new URLSearchParams({ name: `round${i}_[1-20000]`, command: "x" });
      assert.equal((await service.ask(`POST /queue/a?${jobs}`, { limitMs: 4 * LIMIT_MS })).status, 200);
      isCut ||= await streamsOf(service) === 1;
      if (isCut) break;
    }
    assert.ok(isCut);
    assert.equal((await service.ask("POST /queue/a?name=the_last_one&command=x")).status, 200);
    await sought;
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
    const sought = takeUntil(reader, "the_last_one");
    await waitUntil("its stream", async () => await streamsOf(service) === 1, { limitMs: 2 * LIMIT_MS });
    // Each begins with the state of all jobs, of 13 MB.
    for (let i = 0; i < 8; i++) await service.send(`GET /events?queue=a ${HEAD}\r\n`);
    let most = 0;
    await waitUntil("some that go", async () => {
      const now = await streamsOf(service);
      most = Math.max(most, now);
      return now < most;
    }, { limitMs: LIMIT_MS });
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
      const lists = new Asked(service);
      await lists.askAtOnce(Array(400).fill("GET /queue/large/info"));
      assert.equal((await service.ask("GET /queue/small/info")).status, 200);
      await waitUntil("all answers", () => lists.statuses.length === 400, { limitMs: 4 * LIMIT_MS });
      assert.ok(lists.count("200") >= 1 + 256, `${lists.count("200")} were made`);
      const isRefused = lists.count("503") === 400 - lists.count("200") && lists.count("503") > 0;
      lists.close();
      return isRefused;
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
    const asked = new Asked(service);
    await asked.askAtOnce(queues.map((name) => `PUT /queue/${name}/plan?max_parallel=4&duration=10m`));
    await waitUntil("an answer", () => asked.statuses.length > 0, { limitMs: 2 * LIMIT_MS });
    const [some, answered] = [uses(), asked.statuses.length];
    // The two, and those that took the places of the answered ones.
    assert.ok(some <= 2 + 2 * answered && some < queues.length, `${some} were read when ${answered} were answered`);
    await waitUntil("all answers", () => asked.count("200") === queues.length, { limitMs: 4 * LIMIT_MS });
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
        const [pushes, checks] = [new Asked(service), new Asked(service)];
        await pushes.ask(...Array(1 + 31 + 1).fill("PUT /cluster/q0/push?path=data"));
        await checks.ask(...Array(1 + 31 + 1).fill("GET /cluster/q0/check"));
        await waitUntil("both refusals", () => pushes.count("503") + checks.count("503") === 2, { limitMs: LIMIT_MS });
        await checks.ask(...names(6).slice(1).map((name) => `GET /cluster/${name}/check`));
        await waitUntil("as many checks as may be", () => begun().length >= 3);
        for (const line of ["GET /healthz", "GET /queue/", "POST /queue/?name=a", "GET /cluster/q0"]) {
          assert.equal((await service.ask(line)).status, 200, line);
        }
        // One of the first cluster is the fourth.
        assert.equal(begun().length, 3);
        assert.deepEqual([pushes.statuses, checks.statuses], [["503"], ["503"]]);
        await Deno.remove(`${bin}/hold`);
        await waitUntil("all checks", () => checks.count("200") === 32 + 5, { limitMs: 4 * LIMIT_MS });
        await waitUntil("a push", () => pushes.count("200") > 0, { limitMs: LIMIT_MS });
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
