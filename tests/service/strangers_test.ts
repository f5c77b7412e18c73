/**
 * What a stranger sends costs no more than an answer, and a user no more than its bound: in the executable that is
 * shipped.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { compiledCms } from "../../testing/compiled.ts";
import { needTest, whyNoMounts, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { close, type Executable, LIMIT_MS, receive, withExecutable } from "../../testing/service/executable.ts";
import { RIGHT } from "../../testing/service/service.ts";

/** As documented in docs/service.md; what strangers do stays far below. */
const MEMORY_MB = 1024;
const STRANGERS_MB = 400;
const HEAD = "Host: localhost\r\n";
const WRONG = `Basic ${btoa("pi:wrong")}`;
const why = Deno.build.os === "linux" ? null : "needs /proc";

needTest("who sends a head and no body gets an answer at once, holds no place, and is closed", why, async () => {
  await withExecutable(async (service) => {
    const heads = [
      [`POST /healthz HTTP/1.1\r\n${HEAD}Content-Length: 10\r\n\r\n`, /^HTTP\/1\.1 405 [^]*allow: GET, HEAD/],
      [`POST /queue/a/jobs HTTP/1.1\r\n${HEAD}Content-Length: 10\r\n\r\n`, /^HTTP\/1\.1 401 [^]*connection: close/i],
      [
        `POST /queue/a/jobs HTTP/1.1\r\n${HEAD}Authorization: ${WRONG}\r\nTransfer-Encoding: chunked\r\n\r\n`,
        /^HTTP\/1\.1 4(01|29) [^]*connection: close/i,
      ],
      // Not asked for the body.
      [`POST /queue/a/jobs HTTP/1.1\r\n${HEAD}Expect: 100-continue\r\nContent-Length: 10\r\n\r\n`, /^HTTP\/1\.1 401 /],
    ] as const;
    const sent = await Promise.all(Array.from({ length: 330 }, async (_, i) => {
      const [head, reply] = heads[i % heads.length]!;
      return { connection: await service.send(head), reply };
    }));
    assert.equal((await service.ask("POST /queue/?name=a")).status, 200);
    for (const { connection, reply } of sent) assert.match(await receive(connection), reply);
    // A user's bodies that do not come hold no place either.
    const slow = `POST /queue/a/jobs HTTP/1.1\r\n${HEAD}Authorization: ${RIGHT}\r\nContent-Length: 10\r\n\r\n`;
    await Promise.all(Array.from({ length: 330 }, () => service.send(slow)));
    assert.equal((await service.ask("POST /queue/a?name=x&command=true")).status, 200);
    assert.equal((await service.ask("GET /queue/a")).status, 200);
  });
});

needTest(
  "a body in tiny pieces, large bodies, and requests sent ahead stay below the bound of memory",
  why,
  async () => {
    await withExecutable(async (service) => {
      assert.equal((await service.ask("POST /queue/?name=a")).status, 200);
      const tiny = "1\r\nx\r\n".repeat(500_000);
      for (
        const head of ["POST /healthz", "POST /queue/a/jobs", `POST /queue/a/jobs HTTP/1.1\r\nAuthorization: ${RIGHT}`]
      ) {
        const line = head.includes("HTTP") ? head : `${head} HTTP/1.1`;
        const texts = Array.from({ length: 8 }, () => `${line}\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n${tiny}`);
        const most = await highest(service, () => Promise.all(texts.map((text) => service.send(text).catch(() => {}))));
        assert.ok(most < STRANGERS_MB, `${most} MB`);
      }
      // 64 bodies of 16 MiB at once, read and found to be no text; a few that are found to be no jobs.
      const size = 16 * 1024 * 1024;
      const head =
        `POST /queue/a/jobs HTTP/1.1\r\n${HEAD}Authorization: ${RIGHT}\r\nContent-Type: application/json\r\n`;
      const sent = `${head}Connection: close\r\nContent-Length: ${size}\r\n\r\n"${"x".repeat(size - 2)}"`;
      for (const [count, first, status] of [[64, 0xff, 400], [4, 0x22, 422]] as const) {
        const bytes = new TextEncoder().encode(sent);
        bytes[bytes.length - size] = first;
        let replies: string[] = [];
        const most = await highest(service, async () => {
          const each = async () => await receive(await service.send(bytes), () => false, 4 * LIMIT_MS);
          replies = await Promise.all(Array.from({ length: count }, each));
        });
        assert.deepEqual(new Set(replies.map((reply) => reply.slice(0, 12))), new Set([`HTTP/1.1 ${status}`]));
        assert.ok(most < MEMORY_MB, `${most} MB`);
      }
      const headers = { "content-type": "application/json" };
      const names = { jobs: [{ name: "job[1-5000]", command: "x".repeat(200) }] };
      assert.equal((await service.ask("POST /queue/a/jobs", { headers, body: JSON.stringify(names) })).status, 200);
      const ahead = `GET /queue/a/info HTTP/1.1\r\n${HEAD}Authorization: ${RIGHT}\r\n\r\n`.repeat(2000);
      const most = await highest(service, () => Promise.all([1, 2, 3].map(() => service.send(ahead).catch(() => {}))));
      assert.ok(most < MEMORY_MB, `${most} MB`);
      // Who sends too many ahead is cut off.
      const answered = await receive(await service.send(ahead.slice(0, 100 * ahead.length / 2000)));
      assert.ok(answered.split("HTTP/1.1 ").length - 1 <= 17, answered.slice(0, 1000));
      // A few are answered, in their order, one after the other.
      const few = ["/queue/a/job/job1", "/healthz", "/queue/"].map((path) =>
        `GET ${path} HTTP/1.1\r\n${HEAD}Authorization: ${RIGHT}\r\n\r\n`
      );
      const text = await receive(await service.send(few.join("")), (so) => so.includes("a-queue.yaml"));
      assert.match(text, /"name":"job1"[^]*"status":"ok"[^]*a-queue\.yaml/);
      assert.equal(service.text().includes("ERROR") || service.text().includes("WARNING"), false, service.text());
    });
  },
);

/** The most memory while `work` goes on and right after. */
async function highest({ ask, memory }: Executable, work: () => Promise<unknown>): Promise<number> {
  let most = 0;
  let isOver = false;
  const working = work().finally(() => isOver = true);
  while (!isOver) {
    assert.equal((await ask("GET /healthz")).status, 200);
    most = Math.max(most, memory());
  }
  await working;
  assert.equal((await ask("GET /")).status, 200);
  return Math.max(most, memory());
}

for (const files of [128, 256, 1024]) {
  needTest(`with ${files} files, more idle connections than that leave a service that answers`, why, async () => {
    await withExecutable(async (service) => {
      const before = service.files();
      if (files === 1024) await standStill(service);
      // Not all get through at once, and some never.
      const open: Deno.Conn[] = [];
      const connecting = Array.from(
        { length: files + 200 },
        async () => void open.push(await service.send("GET / HT")),
      );
      let most = 0;
      const isMore = (than: number) => (most = Math.max(most, service.files())) > than;
      await waitUntil("many connections", () => isMore(before + files / 8) && open.length > 0.7 * files, {
        limitMs: 60_000,
      });
      const answer = async () => (await service.ask("GET /")).status === 200;
      await waitUntil("an answer beside them", answer, { limitMs: 60_000 });
      assert.ok(!isMore(before + 0.7 * files), `${most} files`);
      open.forEach(close);
      await Promise.allSettled(connecting);
      open.forEach(close);
      await waitUntil("an answer to each", answer, { limitMs: 60_000 });
      await waitUntil("the files to be given back", () => service.files() <= before + 8, { limitMs: 60_000 });
    }, { before: `ulimit -n ${files}` });
  });
}

/** Who comes while the service stands still waits, and is answered. */
async function standStill(service: Executable): Promise<void> {
  const asks = `GET /healthz HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`;
  Deno.kill(service.pid, "SIGSTOP");
  const open: Deno.Conn[] = [];
  const coming = Array.from({ length: 400 }, async () => void open.push(await service.send(asks)));
  try {
    await waitUntil("all to wait", () => open.length === coming.length, { limitMs: 60_000 });
  } finally {
    Deno.kill(service.pid, "SIGCONT");
  }
  for (const text of await Promise.all(open.map((one) => receive(one)))) assert.match(text, /^HTTP\/1\.1 200 /);
  open.forEach(close);
}

needTest(
  "where it cannot be found out how many files may be open, or they are too few, the service does not start",
  await whyNoMounts() ?? whyNoPrograms("bash"),
  async () => {
    const cms = await compiledCms();
    const directory = await Deno.makeTempDir({ prefix: "cms-limit-" });
    try {
      await Deno.writeTextFile(`${directory}/credentials`, "pi:red berry\n", { mode: 0o600 });
      // A shell that does not say.
      const mute = `#!/bin/bash\n[ "$2" = "ulimit -n" ] || exec /bin/bash --posix "$@"\n`;
      await Deno.writeTextFile(`${directory}/mute`, mute, { mode: 0o755 });
      for (
        const [before, why] of [
          ["mount --bind mute /bin/sh", /^ERROR: .*it cannot be found out how many files may be open/],
          ["ulimit -n 63", /^ERROR: .*63 files may be open at once, which is too few/],
        ] as const
      ) {
        const start = ["queue", "--service", "start", "--port=0", "--credentials=credentials"];
        const args = ["-m", "sh", "-c", `${before} && exec "$@"`, "sh", cms, ...start];
        const { code, stderr } = await new Deno.Command("unshare", {
          args,
          cwd: directory,
          stdin: "null",
          signal: AbortSignal.timeout(60_000),
        }).output();
        assert.match(new TextDecoder().decode(stderr), why);
        assert.equal(code, 2);
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);

for (const [what, burst] of [["", 24], [", and more waiting than may wait,", 100]] as const) {
  needTest(`a burst that finds no file free${what} leaves a service that answers again`, why, async () => {
    await withExecutable(async (service) => {
      // Fewer than it has counted on: so many are not free in a moment in which much else is open.
      const files = service.files() + 6;
      const args = [`--pid=${service.pid}`, `--nofile=${files}`];
      assert.ok((await new Deno.Command("prlimit", { args }).output()).success);
      const open: Deno.Conn[] = [];
      const connecting = Array.from({ length: burst }, async () => void open.push(await service.send("GET / HT")));
      await waitUntil("no file to be free", () => service.files() >= files);
      await waitUntil("connections that wait to be taken", () => open.length >= 24, { limitMs: 60_000 });
      open.forEach(close);
      await waitUntil("an answer", async () => (await service.ask("GET /", { limitMs: 2_000 })).status === 200, {
        limitMs: 60_000,
      });
      await Promise.allSettled(connecting);
    }, { before: "ulimit -n 128" });
  });
}

/** The status of a guess that comes from this address; 0 if the connection was cut off. */
function statusFrom({ port }: Executable, localAddress: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, localAddress });
    socket.on("error", () => {}).once("close", () => resolve(0));
    socket.once("data", (text) => {
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text.toString())?.[1] ?? 0));
      socket.destroy();
    });
    socket.write(`GET / HTTP/1.1\r\n${HEAD}Authorization: ${WRONG}\r\n\r\n`);
  });
}

needTest(
  "beside wrong passwords from 16 addresses the right one always gets in, and gives them nothing back",
  why,
  async () => {
    await withExecutable(async (service) => {
      let isOver = false;
      let guesses = 0;
      const guess = async (_: unknown, i: number) => {
        while (!isOver) if (await statusFrom(service, `127.0.1.${1 + i % 16}`) === 401) guesses++;
      };
      const guessing = Array.from({ length: 32 }, guess);
      await waitUntil("the free attempts to be over", () => guesses > 99);
      const statuses: number[] = [];
      for (let i = 0; i < 50; i++) statuses.push((await service.ask("GET /")).status);
      isOver = true;
      await Promise.all(guessing);
      assert.deepEqual(statuses, statuses.map(() => 200));
      // Once the free ones are used up each is slow, whoever gets in meanwhile.
      assert.ok(guesses < 500, `${guesses}`);
      // Nor are ever new addresses of use.
      let last = 0;
      let hasRefused = false;
      const guessOnce = async () => {
        while (!hasRefused && ++last < 10_000) {
          if (await statusFrom(service, `127.0.${2 + (last >> 7)}.${1 + last % 128}`) === 429) hasRefused = true;
        }
      };
      await Promise.all(Array.from({ length: 100 }, guessOnce));
      assert.ok(hasRefused, `${last} addresses`);
      assert.equal((await service.ask("GET /")).status, 200);
    });
  },
);

needTest("clients that send no more get their reply; those that hang up are no fault of the program", why, async () => {
  await withExecutable(async (service) => {
    assert.equal((await service.ask("POST /queue/?name=a")).status, 200);
    const half = await service.send(`GET /queue/ HTTP/1.1\r\n${HEAD}Authorization: ${RIGHT}\r\n\r\n`);
    await half.closeWrite();
    assert.match(await receive(half), /^HTTP\/1\.1 200 [^]*a-queue\.yaml/);
    const begin = `POST /queue/a/jobs HTTP/1.1\r\n${HEAD}Authorization: ${RIGHT}\r\nContent-Type: application/json\r\n`;
    for (const text of [`${begin}Content-Length: 10\r\n\r\n{`, `${begin}Transfer-Encoding: chunked\r\n\r\n5\r\n{"jo`]) {
      (await service.send(text)).close();
    }
    // As many large bodies as are read and wait, all of them given up: none holds a place.
    const large = `${begin}Content-Length: 100000\r\n\r\n{"jobs":`;
    for (const connection of await Promise.all(Array.from({ length: 132 }, () => service.send(large)))) {
      connection.close();
    }
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ jobs: [{ name: "job1", command: "x".repeat(70_000) }] });
    await waitUntil("places for others", async () => {
      return (await service.ask("POST /queue/a/jobs", { headers, body, limitMs: 10_000 })).status === 200;
    }, { limitMs: 20_000 });
    const stream = await service.send(`GET /events HTTP/1.1\r\n${HEAD}Authorization: ${RIGHT}\r\n\r\n`);
    await receive(stream, (so) => so.includes("retry:"));
    stream.close();
    const streams = async () =>
      /^cms_event_streams\{[^}]*\} 0$/m.test(await (await service.ask("GET /metrics")).text());
    await waitUntil("the stream to be forgotten", streams);
    assert.doesNotMatch(service.text(), /fault|error|warning|aborted/i);
  });
});
