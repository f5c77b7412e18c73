/**
 * Bounds of the executable that is shipped, each tried at the bound and one beyond: places for requests and
 * connections, links and large reads over all requests, lengths of texts, and what is kept of bodies and replies.
 */
import assert from "node:assert/strict";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { close, LIMIT_MS, withExecutable } from "../../testing/service/executable.ts";
import { closeAll, countOf, endAtOnce, HEAD, type Held, hold } from "../../testing/service/held.ts";
import { waitUntil } from "../../testing/wait.ts";

const why = Deno.build.os === "linux" ? null : "needs /proc";
/** What 128 bodies in pieces may take, each of 4,096 and a few. */
const MOST_OF_PIECES_MB = 400;

needTest("exactly 512 requests that read are worked on and 512 wait; each beyond is refused", why, async () => {
  await withExecutable(async (service) => {
    const most = 512 + 512;
    const beyond = 5;
    // To look for all queues takes a while, and who asks meanwhile waits for the next look.
    for (let i = 0; i < 5_000; i++) Deno.mkdirSync(`${service.directory}/many/e${i}`, { recursive: true });
    await waitUntil("a look that goes on until all have come", async () => {
      const all: Held[] = [];
      while (all.length < most + beyond) {
        const some = Array.from(
          { length: Math.min(100, most + beyond - all.length) },
          () => `GET /experiments ${HEAD}`,
        );
        all.push(...await Promise.all(some.map((text) => hold(service, text))));
      }
      await endAtOnce(service, all);
      let isExact = false;
      await waitUntil("all answers", () => {
        isExact ||= countOf(all, 503) >= beyond && countOf(all, 200) === 0;
        // A machine that is too busy has some of them cut off before their end is sent.
        return all.every(({ text, isOver }) => text !== "" || isOver);
      }, { limitMs: 3 * LIMIT_MS });
      const refused = countOf(all, 503);
      closeAll(all);
      if (isExact) assert.equal(refused, beyond);
      return isExact;
    }, { limitMs: 4 * LIMIT_MS });
    // All places are given back.
    assert.equal((await service.ask("GET /experiments")).status, 200);
  }, { before: "ulimit -n 8192" });
});

needTest(
  "with 128 files 30 silent connections stay, and the next goes for the first",
  why,
  async () => {
    await withExecutable(async (service) => {
      const silent: Held[] = [];
      const come = async () => void silent.push(await hold(service, "GET / HT"));
      for (let i = 0; i < 30; i++) await come();
      // The service connects to itself where nobody comes for a while.
      const ended = () => silent.filter(({ isOver }) => isOver).length;
      await waitUntil("all to be taken", () => service.files() > 40);
      assert.equal(ended(), 0);
      await come();
      await waitUntil("the first to go", () => silent[0]!.isOver);
      assert.equal(ended(), 1);
      closeAll(silent);
    }, { before: "ulimit -n 128" });
  },
);

needTest(
  "17 requests of one connection are answered, of which 16 are sent ahead; one more closes it",
  why,
  async () => {
    await withExecutable(async (service) => {
      const request = `GET /queue/ ${HEAD}\r\n`;
      const answers = (text: string) => text.split("HTTP/1.1 ").length - 1;
      const most = await hold(service, request.repeat(17));
      await waitUntil("all answers", () => answers(most.text) === 17);
      assert.equal(most.isOver, false);
      const more = await hold(service, request.repeat(18));
      await waitUntil("its end", () => more.isOver);
      assert.ok(answers(more.text) < 17);
    });
  },
);

/** An ssh to this machine, where each machine has a home of its own. Who reads much waits until `hold` is gone. */
const SSH = `#!/bin/sh
bin=$(dirname "$0")
while [ "$1" != -- ]; do shift; done
mkdir -p "$bin/$2"
fold=$(command -v fold)
export HOME="$bin/$2" BIN="$bin" MACHINE="$2" FOLD="$fold" PATH="$bin/tools:$PATH"
echo "link $2" >>"$bin/log"
exec sh -c "$3"
`;
const FOLD = `#!/bin/sh
echo "begin $MACHINE" >>"$BIN/log"
while [ -e "$BIN/hold" ]; do sleep 0.05; done
echo "end $MACHINE" >>"$BIN/log"
exec "$FOLD" "$@"
`;

/** The most that were under way at once. */
function mostAtOnce(lines: readonly string[]): number {
  let [now, most] = [0, 0];
  for (const line of lines) {
    if (line.startsWith("begin ")) most = Math.max(most, ++now);
    else if (line.startsWith("end ")) now--;
  }
  return most;
}

needTest(
  "over all requests so many links are open as there are files for; of large reads one of a machine, four in all",
  why ?? whyNoPrograms("base64", "fold", "tr"),
  async () => {
    const bin = await Deno.makeTempDir({ prefix: "cms-bounds-" });
    try {
      await Deno.mkdir(`${bin}/tools`);
      await Deno.writeTextFile(`${bin}/ssh`, SSH, { mode: 0o755 });
      await Deno.writeTextFile(`${bin}/tools/fold`, FOLD, { mode: 0o755 });
      await Deno.writeTextFile(`${bin}/out`, "x".repeat(100_000));
      const log = (what = "") => {
        const lines = Deno.readTextFileSync(`${bin}/log`).split("\n");
        return lines.filter((line) => line.startsWith(what) && line !== "");
      };
      const start = () => {
        Deno.writeTextFileSync(`${bin}/hold`, "");
        Deno.writeTextFileSync(`${bin}/log`, "");
      };
      await withExecutable(async (service) => {
        const machines = Array.from({ length: 20 }, (_, i) => i + 1);
        const job = (i: number) =>
          `job${i}: {name: job${i}, id: a${i}, status: start, command: x, user: pi, host: m${i}, attempt: 1, ` +
          `output: ${bin}/out, log: job.log, experiment: experiment}\n`;
        await service.ask("POST /queue/?name=a");
        await Deno.writeTextFile(`${service.directory}/experiment/b-queue.yaml`, machines.map(job).join(""));
        const read = async (i: number, max: number) => {
          const reply = await service.ask(`GET /queue/b/job/job${i}/output?max=${max}`, { limitMs: 2 * LIMIT_MS });
          assert.equal(`${reply.status} ${(await reply.text()).length}`, `200 ${Math.min(max, 100_000)}`);
        };
        // An eighth of the files beyond 64 are links in all: of 128 files, 8.
        start();
        const small = Promise.all(machines.map((i) => read(i, 90_000)));
        small.catch(() => {});
        await waitUntil("as many links as may be", () => log("begin").length >= 8, { limitMs: LIMIT_MS });
        assert.equal((await service.ask("GET /healthz")).status, 200);
        assert.equal((await service.ask("GET /queue/b")).status, 200);
        assert.equal(log("link").length, 8);
        await Deno.remove(`${bin}/hold`);
        await small;
        assert.deepEqual([log("link").length, mostAtOnce(log())], [20, 8]);

        // Seven links for large reads, and room for one beside them.
        start();
        const large = Promise.all([1, 1, 2, 2, 3, 4, 5].map((i) => read(i, 2_000_000)));
        large.catch(() => {});
        await waitUntil("links for all", () => log("link").length === 7, { limitMs: LIMIT_MS });
        await waitUntil("four reads", () => log("begin").length >= 4, { limitMs: LIMIT_MS });
        // What is small passes; meanwhile no more large ones have begun.
        await read(6, 60_000);
        assert.equal(log("begin").length, 4);
        await Deno.remove(`${bin}/hold`);
        await large;
        assert.equal(mostAtOnce(log()), 4);
        for (const i of [1, 2]) assert.equal(mostAtOnce(log().filter((line) => line.endsWith(` m${i}`))), 1);
      }, { before: `ulimit -n 128; CMS_SSH='${bin}/ssh'; export CMS_SSH` });
    } finally {
      await Deno.remove(bin, { recursive: true });
    }
  },
);

needTest(
  "a text is as long as it may be, and not one character longer, before a pattern is tried on it",
  why,
  async () => {
    await withExecutable(async (service) => {
      assert.equal((await service.ask("POST /queue/?name=a")).status, 200);
      assert.equal((await service.ask("POST /queue/a?name=j&command=true")).status, 200);
      assert.equal((await service.ask("POST /cluster/?name=a")).status, 200);
      // Each would be taken by its pattern also when it is longer.
      const condition = (length: number) => "command~".padEnd(length, "x");
      const devices = (length: number) => `${"10,".repeat(length).slice(0, length - 1)}1`;
      const gpus = (length: number) => Array.from({ length: 61 }, (_, i) => i < 304 - length ? 100 : 1000).join();
      const cases = [
        [1_000, (length: number) => [`GET /queue/a?where=${condition(length)}`]],
        [1_000, (length: number) => [`PUT /queue/a/clean?keep=${"x".repeat(length)}`]],
        [300, (length: number) => ["PATCH /queue/a/job/j", JSON.stringify({ gpu: gpus(length) })]],
        [2_000, (length: number) => [`POST /cluster/a?id=h${length}&name=red&user=pi&gpus=${devices(length)}`]],
      ] as const;
      for (const [most, line] of cases) {
        for (const [length, status] of [[most, 200], [most + 1, 422]] as const) {
          const [asked, body] = line(length);
          const json = { headers: { "content-type": "application/json" }, body: body! };
          const reply = await service.ask(asked!, body === undefined ? {} : json);
          assert.equal(reply.status, status, `${asked!.slice(0, 40)}: ${await reply.text()}`);
        }
      }
    });
  },
);

needTest("of bodies in tiny pieces that nobody reads yet few pieces are kept", why, async () => {
  await withExecutable(async (service) => {
    assert.equal((await service.ask("POST /queue/?name=a")).status, 200);
    const before = service.memory();
    const begin = `POST /queue/a/jobs ${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    // Four are read for as long as they come; what comes after them waits.
    for (let i = 0; i < 4; i++) await hold(service, `${begin}1\r\n[\r\n`);
    const all: Held[] = [];
    let most = 0;
    const isAnswered = () => {
      most = Math.max(most, service.memory() - before);
      return all.some(({ text }) => text !== "");
    };
    // One more than may wait: its refusal, or the end of what was read, tells that all have been taken.
    while (all.length < 129 && !isAnswered()) {
      all.push(await hold(service, `${begin}${"1\r\nx\r\n".repeat(10_000)}`));
    }
    await waitUntil("an answer", isAnswered, { limitMs: 2 * LIMIT_MS });
    assert.equal((await service.ask("GET /queue/a")).status, 200);
    isAnswered();
    assert.ok(most < MOST_OF_PIECES_MB, `${most} MB more`);
  });
});

needTest(
  "where more than 128 MiB of replies wait to be taken the oldest is cut off, and the newest comes whole",
  why,
  async () => {
    await withExecutable(async (service) => {
      const text = "x".repeat(99_000);
      const jobs = Array.from({ length: 160 }, (_, i) => `job${i}: {name: job${i}, command: ${text}}\n`);
      Deno.mkdirSync(`${service.directory}/experiment`);
      Deno.writeTextFileSync(`${service.directory}/experiment/a-queue.yaml`, jobs.join(""));
      const whole = (await (await service.ask("GET /queue/a")).arrayBuffer()).byteLength;
      const buffer = new Uint8Array(64 * 1024);
      const waiting: Deno.TcpConn[] = [];
      const count = Math.ceil(2 * 128 * 1024 * 1024 / whole);
      for (let i = 0; i < count; i++) {
        const connection = await service.send(`GET /queue/a ${HEAD}\r\n`);
        waiting.push(connection);
        // Its first bytes: it was handed over.
        await connection.read(buffer.subarray(0, 1));
      }
      const bytesOf = async (connection: Deno.TcpConn): Promise<number> => {
        let bytes = 0;
        for (let n: number | null = 1; n !== null && n > 0 && bytes < whole;) {
          n = await connection.read(buffer).catch(() => null);
          bytes += n ?? 0;
        }
        return bytes;
      };
      assert.ok(await bytesOf(waiting[0]!) < whole);
      assert.ok(await bytesOf(waiting.at(-1)!) >= whole);
      waiting.forEach(close);
    });
  },
);
