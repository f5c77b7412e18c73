import assert from "node:assert/strict";
import { realDeps } from "../src/deps_real.ts";

const { clock, environment, files, ids, processes } = realDeps();

/** Runs a test in a temporary directory. */
async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir());
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const text = (stream: ReadableStream<Uint8Array>) =>
  new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();

Deno.test("replace() keeps the mode, follows links and leaves no temporary file", () =>
  inDirectory(async (at) => {
    await files.replace(`${at}/f`, "one");
    await Deno.chmod(`${at}/f`, 0o640);
    await Deno.symlink("f", `${at}/link`);
    await Deno.symlink(`${at}/new`, `${at}/dangling`);
    const before = await files.stamp(`${at}/f`);
    await files.replace(`${at}/link`, "two é");
    await files.replace(`${at}/dangling`, "three");
    assert.equal(await files.readText(`${at}/f`), "two é");
    assert.equal(await files.readText(`${at}/new`), "three");
    const pieces = ["on", "e"].map((text) => new TextEncoder().encode(text));
    await files.replace(`${at}/new`, pieces);
    const hash = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    assert.deepEqual([await files.readText(`${at}/new`), await files.hash(pieces)], ["one", hash]);
    assert.equal(await files.hash([await files.readBytes(`${at}/new`) ?? pieces[0]!]), hash);
    assert.equal((await Deno.stat(`${at}/f`)).mode! & 0o7777, 0o640);
    assert.notDeepEqual(await files.stamp(`${at}/f`), before);
    assert.deepEqual(await files.list(at), ["dangling", "f", "link", "new"]);
    await assert.rejects(files.replace(`${at}/none/f`, ""), { code: "ENOENT" });
    await Deno.mkdir(`${at}/directory`);
    await assert.rejects(files.replace(`${at}/directory`, ""));
    assert.deepEqual((await files.list(at))?.filter((name) => name.endsWith(".tmp")), []);
  }));

Deno.test("what is missing is null or false, and bytes that are no UTF-8 are refused", () =>
  inDirectory(async (at) => {
    const none = `${at}/none/x`;
    assert.deepEqual([await files.readText(none), await files.stamp(none), await files.list(none)], [null, null, null]);
    assert.equal(await files.openAppend(none, { create: false }), null);
    assert.equal(await files.remove(none), false);
    await assert.rejects(files.openAppend(none, { create: true }), { code: "ENOENT" });
    await Deno.writeFile(`${at}/bytes`, new Uint8Array([0x61, 0xff]));
    await assert.rejects(files.readText(`${at}/bytes`), { code: "EILSEQ" });
    await files.makeDirectory(`${at}/a/b/c`);
    await files.makeDirectory(`${at}/a/b/c`);
    assert.equal((await files.stamp(`${at}/a/b/c`))?.isDirectory, true);
    await assert.rejects(files.remove(`${at}/a`), { code: "EISDIR" });
    await Deno.writeTextFile(`${at}/a/f`, "");
    assert.equal(await files.remove(`${at}/a/f`), true);
  }));

Deno.test("openAppend() appends at the end, reads from anywhere and cuts", () =>
  inDirectory(async (at) => {
    const file = await files.openAppend(`${at}/f`, { create: true });
    assert(file !== null);
    await file.append(new TextEncoder().encode("0123456789"));
    assert.equal(new TextDecoder().decode(await file.readFrom(4)), "456789");
    await file.truncate(3);
    await file.append(new TextEncoder().encode("x"));
    await file.sync();
    assert.equal(await file.size(), 4);
    assert.equal((await file.readFrom(9)).length, 0);
    file.close();
    assert.equal(await files.readText(`${at}/f`), "012x");
  }));

Deno.test("lock() keeps out whoever it should, and waits", () =>
  inDirectory(async (at) => {
    const path = `${at}/lock`;
    const shared = await files.lock(path, { mode: "shared", wait: false });
    const second = await files.lock(path, { mode: "shared", wait: false });
    assert(shared !== null && second !== null);
    assert.equal(await files.lock(path, { mode: "exclusive", wait: false }), null);
    second.release();
    const waiting = files.lock(path, { mode: "exclusive", wait: true });
    shared.release();
    shared.release();
    const exclusive = await waiting;
    assert(exclusive !== null);
    assert.equal(await files.lock(path, { mode: "shared", wait: false }), null);
    await exclusive.describe("a longer text");
    await exclusive.describe("mine");
    assert.equal(await files.readText(path), "mine");
    exclusive.release();
  }));

Deno.test("a lock is free once it is given back, also where another thread begins processes", () =>
  inDirectory(async (at) => {
    const text = 'for (;;) { await new Deno.Command("true").output(); postMessage(null); }';
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(text)}`, { type: "module" });
    try {
      await new Promise((resolve) => worker.onmessage = resolve);
      for (let i = 0; i < 2_000; i++) {
        const lock = await files.lock(`${at}/lock`, { mode: "exclusive", wait: false });
        assert(lock !== null, `held by nobody, at ${i}`);
        lock.release();
      }
    } finally {
      worker.terminate();
    }
  }));

Deno.test("watch() yields names of what changes until it is aborted", () =>
  inDirectory(async (at) => {
    const abort = new AbortController();
    const seen = new Set<string>();
    const watching = (async () => {
      for await (const name of files.watch(at, abort.signal)) {
        seen.add(name);
        abort.abort();
      }
    })();
    // Written again and again: the first may come before the watch stands.
    for (let i = 0; i < 500 && seen.size === 0; i++) {
      await Deno.writeTextFile(`${at}/f`, `${i}`);
      await clock.sleepUntil(clock.now() + 10);
    }
    abort.abort();
    await watching;
    assert.deepEqual([...seen], ["f"]);
  }));

Deno.test("spawn() starts a program in a session of its own and tells how it ended", async () => {
  const child = processes.spawn([
    "sh",
    "-c",
    'read x; echo "$x $V $(ps -o sid= -p $$ | tr -d " ")"; echo e >&2; exit 3',
  ], { env: { V: "v" } });
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("hello\n"));
  await writer.close();
  const [out, err, ended] = await Promise.all([text(child.stdout), text(child.stderr), child.ended]);
  assert.deepEqual([out, err, ended], [`hello v ${child.pid}\n`, "e\n", { code: 3, signal: null }]);
  child.kill("SIGKILL");
  const killed = processes.spawn(["sleep", "60"]);
  killed.kill("SIGTERM");
  assert.deepEqual(await killed.ended, { code: 143, signal: "SIGTERM" });
  await Promise.all([killed.stdin.close().catch(() => {}), killed.stdout.cancel(), killed.stderr.cancel()]);
  assert.throws(
    () => processes.spawn(["no-such-program-here"]),
    /^Error: Cannot start no-such-program-here: no such program$/,
  );
});

Deno.test({
  name: "spawn() does not copy the tables of this process's memory",
  ignore: Deno.build.os !== "linux",
  async fn() {
    // After a copy each page is another's too, and costs a fault at the first write.
    const faults = () => Number(Deno.readTextFileSync("/proc/self/stat").split(") ")[1]!.split(" ")[7]);
    const pages = 8_000;
    const memory = new Uint8Array(pages * 4096).fill(1);
    const child = processes.spawn(["true"]);
    const before = faults();
    for (let at = 0; at < memory.length; at += 4096) memory[at] = 2;
    const since = faults() - before;
    await Promise.all([child.ended, child.stdin.close().catch(() => {}), child.stdout.cancel(), child.stderr.cancel()]);
    assert(since < pages / 4, `${since} faults for ${pages} pages`);
  },
});

Deno.test("sleepUntil() returns at once for the past and when it is aborted", async () => {
  await clock.sleepUntil(0);
  await clock.sleepUntil(Infinity, AbortSignal.abort());
  const abort = new AbortController();
  const sleep = clock.sleepUntil(clock.now() + 1e12, abort.signal);
  abort.abort();
  await sleep;
});

Deno.test("ids are hex of the length asked for, and differ", () => {
  assert.match(ids.hex(16), /^[0-9a-f]{32}$/);
  assert.notEqual(ids.hex(8), ids.hex(8));
  assert.equal(environment.pid, Deno.pid);
});

Deno.test("now() and sleepUntil() do not step when somebody sets the machine's clock, epochMs() does", async () => {
  const real = Date.now;
  try {
    const atMs = clock.now() + 30;
    Date.now = () => real() - 3_600_000;
    await clock.sleepUntil(atMs);
    assert.ok(clock.now() >= atMs && clock.now() < atMs + 1_800_000);
    assert.ok(clock.epochMs() < atMs - 1_800_000);
  } finally {
    Date.now = real;
  }
});

Deno.test("user() is the name of the environment, else that of the user id", () => {
  const names = ["USER", "LOGNAME"] as const;
  const before = names.map((name) => Deno.env.get(name));
  try {
    Deno.env.set("USER", "somebody");
    assert.equal(environment.user(), "somebody");
    for (const name of names) Deno.env.delete(name);
    const { success, stdout } = new Deno.Command("id", { args: ["-un"] }).outputSync();
    if (success) assert.equal(environment.user(), new TextDecoder().decode(stdout).trim());
  } finally {
    for (const [i, name] of names.entries()) if (before[i] !== undefined) Deno.env.set(name, before[i]);
  }
});
