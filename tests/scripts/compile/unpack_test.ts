import assert from "node:assert/strict";
import { ended, filesBelow, launch, makeStandIn, NOT_ROOT, report, standIn, start, TestDirectory } from "./support.ts";
import { needTest, whyNoPrograms } from "../../../testing/need.ts";
import { waitUntil } from "../../../testing/wait.ts";

/** A user that nobody has; each test that leaves something in /tmp takes one of its own. */
const USER = 61_000 + Deno.pid % 1000 * 4;

function cacheOf(home: string): string {
  const [cache] = [...Deno.readDirSync(`${home}/.cache/cms`)];
  return `${home}/.cache/cms/${cache!.name}`;
}

/** The fallback directory of a user; removed by `using`. */
function fallbackOf(uid: number): { path: string; [Symbol.dispose](): void } {
  const path = `/tmp/cms-${uid}`;
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

Deno.test("ten first runs that race all start and leave one cache with nothing else in it", async () => {
  using directory = new TestDirectory();
  const file = await standIn();
  const env = { HOME: directory.make("home") };
  const children = Array.from({ length: 10 }, () => start(file, ["--version"], { env }));
  const results = await Promise.all(children.map(ended));
  for (const result of results) assert.deepEqual([result.code, result.stdout, result.stderr], [0, "cms 0.0.0\n", ""]);
  assert.equal([...Deno.readDirSync(`${env.HOME}/.cache/cms`)].length, 1);
  assert.deepEqual(filesBelow(cacheOf(env.HOME)), ["deno", "main.mjs", "more.mjs"]);
});

needTest(
  "a first run with a home that cannot be written, or with none, unpacks to /tmp/cms-UID, once",
  NOT_ROOT,
  async () => {
    using directory = new TestDirectory();
    using fallback = fallbackOf(USER);
    const file = await standIn();
    const options = { env: { HOME: directory.make("home") }, uid: USER };
    const { runtime } = await report(file, [], options);
    assert.ok(runtime.startsWith(`${fallback.path}/`), runtime);
    assert.equal(Deno.statSync(fallback.path).mode! & 0o777, 0o700);
    const { ino } = Deno.statSync(runtime);
    assert.equal((await report(file, [], options)).runtime, runtime);
    assert.equal((await report(file, [], { uid: USER })).runtime, runtime);
    assert.equal(Deno.statSync(runtime).ino, ino);
    assert.deepEqual([...Deno.readDirSync(options.env.HOME)], []);
  },
);

needTest("a first run in a home that is mounted noexec unpacks to /tmp/cms-UID", NOT_ROOT ?? noMounts(), async () => {
  using directory = new TestDirectory();
  const uid = USER + 1;
  using fallback = fallbackOf(uid);
  const file = await standIn();
  const home = directory.make("home");
  const script =
    `mount -t tmpfs -o noexec,mode=777,size=300m none "$HOME" && exec setpriv --reuid=${uid} --regid=${uid} ` +
    '--clear-groups "$@"';
  const wrap = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, "sh"];
  const { runtime } = await report(file, [], { env: { HOME: home }, with: wrap });
  assert.ok(runtime.startsWith(`${fallback.path}/`), runtime);
});

needTest(
  "a fallback directory that is another user's, or open to others, or a link, is refused",
  NOT_ROOT,
  async () => {
    const uid = USER + 2;
    using fallback = fallbackOf(uid);
    using directory = new TestDirectory();
    const file = await standIn();
    const cases: (() => void)[] = [
      () => Deno.mkdirSync(fallback.path),
      () => {
        Deno.chownSync(fallback.path, uid, uid);
        Deno.chmodSync(fallback.path, 0o777);
      },
      () => {
        Deno.removeSync(fallback.path);
        Deno.symlinkSync(directory.make("elsewhere", uid), fallback.path);
      },
    ];
    for (const prepare of cases) {
      prepare();
      const { code, stdout, stderr } = await launch(file, ["--version"], { uid });
      const wanted = `ERROR: Cannot start "${file}": ${fallback.path} is not a private directory of this user\n`;
      assert.deepEqual([code, stdout, stderr], [126, "", wanted]);
    }
  },
);

needTest(
  "a cache of root serves a user who cannot write it; one of another user is not executed",
  NOT_ROOT,
  async () => {
    using directory = new TestDirectory();
    const uid = USER + 3;
    using fallback = fallbackOf(uid);
    const file = await standIn();
    const env = { HOME: directory.make("home") };
    const { runtime } = await report(file, [], { env });
    assert.equal((await report(file, [], { env, uid })).runtime, runtime);
    Deno.chownSync(cacheOf(env.HOME), uid + 1, uid + 1);
    const own = await report(file, [], { env, uid });
    assert.ok(own.runtime.startsWith(`${fallback.path}/`), own.runtime);
  },
);

Deno.test("a truncated file and a damaged one say so in one line, with exit status 126", async () => {
  using directory = new TestDirectory();
  const bytes = Deno.readFileSync(await standIn());
  const bad = `${directory.path}/cms`;
  const env = { HOME: directory.make("home") };
  async function refused(content: Uint8Array, wanted: RegExp): Promise<void> {
    Deno.writeFileSync(bad, content, { mode: 0o755 });
    const { code, stdout, stderr } = await launch(bad, ["--version"], { env });
    assert.deepEqual([code, stdout], [126, ""]);
    assert.match(stderr, wanted);
    assert.deepEqual(filesBelow(env.HOME), []);
  }
  const short = bytes.subarray(0, bytes.length - 1000);
  await refused(short, /^ERROR: Cannot start ".*\/cms": the file is incomplete \(\d+ bytes of \d+\): copy it again\n$/);
  for (const place of [bytes.length / 2 | 0, bytes.length - 100]) {
    const damaged = bytes.slice();
    damaged.fill(0x55, place, place + 20);
    await refused(damaged, /^ERROR: Cannot start ".*\/cms": the file is damaged \(.*\): copy it again\n$/);
  }
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`a first run that gets ${signal} is made good by the next`, async () => {
    using directory = new TestDirectory();
    const file = await standIn();
    const env = { HOME: directory.make("home") };
    const child = start(file, ["--version"], { env });
    await waitUntil("the first run to unpack", () => filesBelow(env.HOME).some((name) => name.endsWith("/deno")));
    child.kill(signal);
    assert.notEqual((await ended(child)).code, 0);
    assert.ok(!filesBelow(cacheOf(env.HOME)).includes("main.mjs"), "the signal came too late to test anything");
    if (signal === "SIGTERM") assert.deepEqual(filesBelow(cacheOf(env.HOME)), []);
    assert.equal((await launch(file, ["--version"], { env })).stdout, "cms 0.0.0\n");
  });
}

Deno.test("what an interrupted first run left is removed by another version's first run after a day, not before", async () => {
  using directory = new TestDirectory();
  const file = await standIn();
  const env = { HOME: directory.make("home") };
  const old = directory.make("home/.cache/cms/0123/.unpack.old");
  const young = directory.make("home/.cache/cms/0123/.unpack.young");
  Deno.writeTextFileSync(`${old}/deno`, "half");
  const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
  Deno.utimeSync(old, twoDaysAgo, twoDaysAgo);
  await report(file, [], { env });
  assert.throws(() => Deno.statSync(old), Deno.errors.NotFound);
  assert.ok(Deno.statSync(young).isDirectory);
});

Deno.test("the same sources give the same bytes", async () => {
  using directory = new TestDirectory();
  const again = `${directory.path}/again`;
  await makeStandIn(again);
  assert.ok(Buffer.from(Deno.readFileSync(again)).equals(Deno.readFileSync(await standIn())));
});

function noMounts(): string | null {
  const missing = whyNoPrograms("unshare", "setpriv");
  if (missing !== null) return missing;
  const args = ["-m", "sh", "-c", "mount -t tmpfs none /mnt"];
  const can = new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).outputSync().success;
  return can ? null : "this system lets no test mount anything";
}
