/** How many requests are worked on at once, and how many wait: what is beyond is refused, and keeps nobody else. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import { parseMachine } from "../../src/cluster/machine.ts";
import { realDeps } from "../../src/deps_real.ts";
import { fetchFiles } from "../../src/link/fetch.ts";
import { jobName } from "../../src/names/grammar.ts";
import type { Connect } from "../../src/link/link.ts";
import { asksHosts } from "../../src/service/guard.ts";
import { Heavy } from "../../src/service/heavy.ts";
import { boundedHosts } from "../../src/service/hosts.ts";
import { documentOf } from "../../src/service/openapi.ts";
import type { Service } from "../../src/service/service.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { type Executable, LIMIT_MS, withExecutable } from "../../testing/service/executable.ts";
import { ask as askOn, askAtOnce, closeAll, countOf, type Held, statusesOf } from "../../testing/service/held.ts";
import { pushToCluster } from "../../src/operations/push_files.ts";
import { waitUntil } from "../../testing/wait.ts";
import { type WatchFiles, WatchShare } from "../../src/operations/watch_files.ts";
import type { QueueFeed } from "../../src/store/queue_feed.ts";
import { type TestService, withService } from "../../testing/service/service.ts";

const SILENT: Connect = () => new Promise(() => {});

/** A queue with a job that runs on a host. */
const ENTRY =
  "job1:\n  name: job1\n  id: a1\n  status: start\n  command: x\n  user: pi\n  host: silent\n  attempt: 1\n" +
  "  output: job1.out\n  log: job1.log\n  experiment: experiment\n";

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

/** An ssh that takes a connection and says nothing, as long as somebody holds it. */
const SILENT_SSH = "#!/bin/sh\nexec cat >/dev/null\n";

needTest(
  "in the executable those that wait for hosts, jobs or room keep nobody else waiting; beyond the bounds they are refused",
  Deno.build.os === "linux" ? null : "needs /proc",
  async () => {
    const bin = await Deno.makeTempDir({ prefix: "cms-crowds-" });
    try {
      await Deno.writeTextFile(`${bin}/ssh`, SILENT_SSH, { mode: 0o755 });
      await withExecutable(async (service) => {
        await waitApart(service);
        await comeAtOnce(service);
      }, { before: `ulimit -n 4096; PATH='${bin}':"$PATH"; export PATH` });
    } finally {
      await Deno.remove(bin, { recursive: true });
    }
  },
);

/** What waits for hosts, for jobs and for what jobs write, as much of each as may. */
async function waitApart(service: Executable): Promise<void> {
  const { ask, directory } = service;
  const ok = async (line: string) => assert.equal((await ask(line)).status, 200, line);
  await ok("POST /queue/?name=a");
  await ok("POST /queue/a?name=x&command=true");
  const machines = Array.from({ length: 64 }, (_, i) => i + 1);
  const entries = machines.map((i) => ENTRY.replaceAll("job1", `job${i}`).replace("silent", `silent${i}`));
  await Deno.writeTextFile(`${directory}/experiment/silent-queue.yaml`, entries.join(""));
  const queues = ["b", "c", "d", "e", "f", "g"];
  for (const name of queues) await Deno.writeTextFile(`${directory}/experiment/${name}-queue.yaml`, ENTRY);

  const held: Held[] = [];
  const hold = async (lines: readonly string[]): Promise<Held[]> => {
    const some = await askOn(service, lines);
    held.push(...some);
    return some;
  };
  const answers = async (lines: readonly string[]): Promise<string[]> => {
    const some = await hold(lines);
    await waitUntil("all answers", () => statusesOf(some).length === lines.length, { limitMs: LIMIT_MS });
    return statusesOf(some);
  };
  const letGo = async () => {
    const all = held.splice(0);
    closeAll(all);
    await waitUntil("their ends", () => all.every(({ isOver }) => isOver));
  };
  const output = (i: number) => `GET /queue/silent/job/job${i}/output`;
  const ofOne = await hold(Array(17).fill(output(1)));
  await waitUntil("a machine that has enough", () => countOf(ofOne, 502) > 0);
  // Of each machine fewer than may wait for it.
  const ofAll: Held[] = [];
  let i = 1;
  await waitUntil("a crowd that has enough", async () => {
    ofAll.push(...await hold(Array(8).fill(output(i = i % machines.length + 1))));
    return countOf(ofAll, 503) > 0;
  }, { limitMs: 60_000 });
  await hold(queues.map((name) => `PUT /queue/${name}/kill?name=job1`));
  const polls = await hold(Array(66).fill("GET /queue/a/wait?name=x&timeout=60"));
  await waitUntil("polls that are refused", () => statusesOf(polls).length >= 2);
  assert.deepEqual(new Set(statusesOf(polls)), new Set(["503"]));
  // Who asks for a head alone holds nothing.
  for (const what of Array(5).fill(["follow", "live"]).flat()) {
    await waitUntil("a head", async () => (await ask(`HEAD /queue/a/${what}`)).status === 200);
  }
  // Those of the heads may just be ending.
  const streams: string[] = [];
  await waitUntil("as many streams as may be", async () => {
    const [status] = await answers(["GET /queue/a/follow?name=x"]);
    streams.push(status!);
    return streams.filter((one) => one === "200").length === 4;
  });
  assert.deepEqual(await answers(["GET /queue/a/follow?name=x"]), ["503"]);
  for (const line of ["GET /queue/a", "POST /queue/a?name=y&command=true", "POST /queue/?name=h", "GET /metrics"]) {
    await ok(line);
  }
  await ok("GET /healthz");
  await letGo();
  await waitUntil("a place for another stream", async () => {
    return (await answers(["GET /queue/a/follow?name=x"]))[0] === "200";
  });
  await letGo();
}

/** More than may write, in one moment. (No disk is slow enough for more than may read.) */
async function comeAtOnce(service: Executable): Promise<void> {
  const statuses = async (lines: readonly string[]): Promise<string[]> => {
    const all = await askAtOnce(service, lines);
    await waitUntil("all answers", () => all.every(({ text, isOver }) => text !== "" || isOver), { limitMs: LIMIT_MS });
    closeAll(all);
    return all.map(({ text }) => text.slice(9, 12));
  };
  const writes = Array.from({ length: 400 }, (_, i) => `POST /queue/?name=w${i}`);
  await waitUntil("refusals, and answers to all others", async () => {
    const all = await statuses([...writes, ...Array(10).fill("GET /healthz")]);
    assert.ok(all.slice(writes.length).every((status) => status !== "503"), "the health check waits for nobody");
    return all.includes("503") && all.includes("200");
  }, { limitMs: 60_000 });
  assert.equal((await service.ask("POST /queue/?name=last")).status, 200);
}

Deno.test("each operation that can say that a host does not answer waits apart from those that ask none", () => {
  // Of some the reply says for each host whether it answered.
  for (const line of ["GET /cluster/a/check", "PUT /cluster/a/push", "GET /queue/a/check", "PUT /queue/a/clean"]) {
    assert.ok(asksHosts(...line.split(" ") as [string, string]), line);
  }
  const { paths } = documentOf(realDeps()) as { paths: Record<string, Record<string, { responses: object }>> };
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      const target = path.replaceAll(/\{\w+\}/g, "a");
      if ("502" in responses) assert.ok(asksHosts(method.toUpperCase(), target), `${method} ${path}`);
    }
  }
});

/** An ssh for which `there` is this machine, and `silent` one that takes nothing until the file `hold` is gone. */
const SSH = `#!/bin/sh
cd "$(dirname "$0")" || exit
case " $* " in *silent*) while [ -e hold ]; do sleep 0.02; done ;; esac
while case $1 in *there | *silent) false ;; esac; do shift; done
shift
HOME=$PWD/there exec sh -c "$*"
`;

/** Calls `use` with a service that uses it. A file `data` and the clusters `silent` and `there` are made. */
async function withSsh(use: (t: TestService, go: () => Promise<void>) => Promise<void>): Promise<void> {
  const bin = await Deno.makeTempDir({ prefix: "cms-crowds-" });
  const go = () => Deno.remove(`${bin}/hold`).catch(() => {});
  try {
    await Deno.writeTextFile(`${bin}/ssh`, SSH, { mode: 0o755 });
    await Deno.writeTextFile(`${bin}/hold`, "");
    await Deno.mkdir(`${bin}/there`);
    await withService(async (t) => {
      await Deno.writeTextFile(`${t.directory}/data`, "x".repeat(1_000_000));
      for (const name of ["silent", "there"]) {
        await t.text(`POST /cluster/?name=${name}`);
        await t.text(`POST /cluster/${name}?id=h&name=${name}&user=pi`);
      }
      await use(t, go);
    }, ({ deps }) => {
      const { get } = deps.environment;
      const environment = { ...deps.environment, get: (name: string) => name === "CMS_SSH" ? `${bin}/ssh` : get(name) };
      const changed = { ...deps, environment };
      return { deps: changed, ...boundedHosts(SILENT, 1024) };
    });
  } finally {
    await go();
    await Deno.remove(bin, { recursive: true });
  }
}

needTest(
  "32 pushes to a cluster work or wait; the next is refused, others are answered",
  whyNoPrograms("tar"),
  async () => {
    await withSsh(async (t, go) => {
      const push = (cluster: string) => `PUT /cluster/${cluster}/push?path=data`;
      const { answered, all } = askAll(t, Array(33).fill(push("silent")));
      await waitUntil("the refusal", () => answered.length === 1);
      const { pushed } = await t.json(push("there"));
      assert.equal(pushed[0].machine, "pi@there");
      await t.text("POST /queue/?name=a");
      assert.deepEqual(answered, [503]);
      await go();
      await all;
      assert.deepEqual(new Set(answered), new Set([200, 503]));
    });
  },
);

needTest(
  "a machine that takes no byte of a push for a while is given up, by rsync and by tar",
  whyNoPrograms("tar"),
  async () => {
    await withSsh(async ({ service: { deps }, directory }) => {
      const cluster = { experiment: "experiment", directory: `${directory}/experiment`, name: "silent" };
      const { processes } = deps;
      const without: Deps["processes"] = {
        ...processes,
        spawn: (command, options) => {
          if (command[0] === "rsync") throw new Error("no such program");
          return processes.spawn(command, options);
        },
      };
      for (const one of [deps, { ...deps, processes: without }]) {
        const said: unknown[] = [];
        const request = { cluster, paths: ["data"], to: ".", ids: null, idleMs: 1_000 };
        await pushToCluster(one, request, (_machine, report) => said.push(report));
        assert.deepEqual(said, ["Cannot push to pi@silent: no byte was taken for 1s"]);
      }
    });
  },
);

Deno.test("a machine that is silent has few sessions that list files, each for a minute at most", async () => {
  let sessions = 0;
  let late = () => {};
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    await Deno.writeTextFile(`${t.directory}/experiment/b-queue.yaml`, ENTRY);
    const { answered, all } = askAll(t, Array(17).fill("GET /queue/b/job/job1/files"));
    await waitUntil("the refusal", () => answered.length === 1 && sessions === 8);
    await t.text("GET /queue/a");
    await waitUntil("all answers", () => {
      late();
      return answered.length === 17;
    });
    await all;
    assert.deepEqual(new Set(answered), new Set([502]));
    assert.equal(sessions, 8);
  }, ({ deps }) => {
    const { clock, processes } = deps;
    const minute: (() => void)[] = [];
    late = () => minute.splice(0).forEach((end) => end());
    const sleepUntil: typeof clock.sleepUntil = (atMs, signal) =>
      atMs < clock.now() + 50_000 ? clock.sleepUntil(atMs, signal) : new Promise((resolve) => {
        minute.push(resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    const spawn: typeof processes.spawn = (_command, options) => {
      sessions++;
      return processes.spawn(["sleep", "600"], options);
    };
    return {
      deps: { ...deps, clock: { ...clock, now: () => clock.now(), sleepUntil }, processes: { ...processes, spawn } },
      ...boundedHosts(SILENT, 1024),
    };
  });
});

Deno.test("a directory with more files than are listed is refused, and ends the list", async () => {
  const directory = await Deno.makeTempDir();
  try {
    for (const name of ["a", "b", "c"]) await Deno.writeTextFile(`${directory}/${name}`, "");
    const list = async (mostFiles: number): Promise<number> => {
      let count = 0;
      const choose = ([found]: readonly { files: readonly unknown[] }[]) => {
        count = found!.files.length;
        return Promise.resolve([]);
      };
      const at = { machine: parseMachine("me@localhost"), directory, mostFiles, queueId: null };
      const owner = { name: jobName("x"), id: "" };
      const sought = { owner, directory: ".", workdir: "", patterns: ["."] };
      await fetchFiles(realDeps(), at, [sought], { choose, take: () => Promise.resolve() });
      return count;
    };
    assert.equal(await list(3), 3);
    await assert.rejects(list(2), /There are more than 2 files/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("of large queues one is held at a time, of others as many as there is room for; small ones wait for nobody", async () => {
  const sizes: Record<string, number> = { large: 30, larger: 200, medium: 1, small: 0.01 };
  const stamp = (path: string) => {
    const name = /([a-z]+)-(queue|cluster)\.yaml$/.exec(path)?.[1] ?? "";
    const sizeBytes = (sizes[name] ?? 0) * 1024 * 1024;
    return Promise.resolve({ sizeBytes, isDirectory: false });
  };
  const environment = { cwd: () => "/served" };
  let memory = 0;
  const heavy = new Heavy({ deps: { files: { stamp }, environment }, memory: () => memory } as unknown as Service);
  const begun: string[] = [];
  const pass = (path: string, crowd: Parameters<Heavy["pass"]>[1] = "readers") => {
    const end = Promise.withResolvers<void>();
    const context = { req: { path, query: () => undefined } } as unknown as Parameters<Heavy["pass"]>[0];
    const over = heavy.pass(context, crowd, async () => {
      begun.push(path);
      await end.promise;
    });
    over.catch(() => {});
    return { end: end.resolve, over };
  };
  const all = [
    pass("/queue/large"),
    pass("/queue/larger/info"),
    pass("/cluster/large"),
    ...Array.from({ length: 40 }, () => pass("/queue/medium")),
    pass("/queue/small/status"),
    // Those that wait for hosts wait for each other alone.
    pass("/queue/large/reset", "hostWorkers"),
    pass("/queue/large%2dqueue.yaml/refresh", "hostWorkers"),
  ];
  const count = (path: string) => begun.filter((one) => one === path).length;
  await waitUntil("those that there is room for", () => begun.length === 1 + 32 + 1 + 1);
  assert.deepEqual([count("/queue/large"), count("/queue/medium"), count("/queue/large/reset")], [1, 32, 1]);
  all[0]!.end();
  await waitUntil("the next", () => count("/queue/larger/info") === 1);
  assert.equal(count("/cluster/large"), 0);
  for (const { end } of all) end();
  await Promise.all(all.map(({ over }) => over));
  assert.equal(begun.length, all.length);
  // Where memory is short large ones work one after the other, and what waits for hosts is refused meanwhile.
  memory = 700 * 1024 * 1024;
  begun.length = 0;
  const narrow = [pass("/queue/large"), pass("/queue/medium"), pass("/queue/large/reset", "hostWorkers")];
  await assert.rejects(narrow[2]!.over, /Too many requests wait/);
  assert.deepEqual(begun, ["/queue/large", "/queue/medium"]);
  for (const { end } of narrow) end();
  await Promise.allSettled(narrow.map(({ over }) => over));
  const alone = pass("/queue/large/reset", "hostWorkers");
  await waitUntil("it to work alone", () => begun.length === 3);
  alone.end();
  await alone.over;
  memory = 0;
  // A long poll is refused where it would have to wait, and so is whoever comes when many wait.
  const polls = Array.from({ length: 9 }, () => pass("/queue/large/wait", "waiters"));
  await waitUntil("eight", () => count("/queue/large/wait") === 8);
  await assert.rejects(polls[8]!.over, /Too many requests wait/);
  const waiting = Array.from({ length: 130 }, () => pass("/queue/large"));
  await assert.rejects(waiting[129]!.over, /Too many requests wait/);
  // Of each queue one change, four in all; as many checks of clusters; two questions about all of a queue.
  const [changes, questions] = [["a", "a", "b", "c", "d", "e"], ["a", "b", "c"]];
  const more = [
    ...changes.map((name) => pass(`/queue/${name}/hold`, "workers")),
    ...changes.map((name) => pass(`/cluster/${name}/check`, "hostReaders")),
    ...questions.map((name) => pass(`/queue/${name}/plan`, "workers")),
  ];
  const those = (what: string) => begun.filter((path) => path.endsWith(what)).join();
  await waitUntil("those", () => those("plan") !== "" && those("hold").length > 50);
  assert.equal(those("hold"), ["a", "b", "c", "d"].map((name) => `/queue/${name}/hold`).join());
  assert.equal(those("check"), ["a", "b", "c", "d"].map((name) => `/cluster/${name}/check`).join());
  assert.equal(those("plan"), "/queue/a/plan,/queue/b/plan");
  const left = [...polls, ...waiting, ...more];
  for (const { end } of left) end();
  await Promise.allSettled(left.map(({ over }) => over));
  assert.deepEqual([those("hold"), those("check")].map((all) => all.split(",").length), [6, 6]);
});

Deno.test("queues are watched up to so many bytes of files, or one; what goes makes room", () => {
  const files: WatchFiles = { pass: (look) => look(), mostOpen: 0, open: 0, mostBytes: 100, bytes: 0 };
  const feed = { isOpen: false, rest: () => {}, close: () => {} } as unknown as QueueFeed;
  const [first, second, third] = Array.from({ length: 3 }, () => new WatchShare(files, feed)) as [
    WatchShare,
    WatchShare,
    WatchShare,
  ];
  assert.deepEqual([first.fits(500), second.fits(1)], [true, false]);
  assert.deepEqual([first.fits(60), second.fits(40), third.fits(1)], [true, true, false]);
  // One that grows goes, and those that were refused have taken nothing.
  assert.deepEqual([second.fits(41), third.fits(40), files.bytes], [false, true, 100]);
  for (const share of [first, second, third]) share.end();
  assert.equal(files.bytes, 0);
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
