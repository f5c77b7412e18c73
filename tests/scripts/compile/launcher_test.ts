import assert from "node:assert/strict";
import { filesBelow, launch, NOT_ROOT, report, standIn, start, TestDirectory } from "./support.ts";
import { needTest, whyNoPrograms } from "../../../testing/need.ts";

/** Runs with a cache that stays warm over the tests of this file. */
async function warm(): Promise<{ file: string; env: Record<string, string> }> {
  const file = await standIn();
  const home = `${file.slice(0, file.lastIndexOf("/"))}/warm home`;
  return { file, env: { HOME: home } };
}

Deno.test("the launcher needs nothing on the PATH, and its own Deno runs the program", async () => {
  using directory = new TestDirectory();
  const file = await standIn();
  const env = { HOME: directory.make("home"), PATH: directory.make("empty") };
  for (const turn of ["first", "later"]) {
    const seen = await report(file, [turn, "-x", "--", "b  c", "", "--version"], { env });
    assert.deepEqual(seen.args, [turn, "-x", "--", "b  c", "", "--version"]);
    assert.ok(seen.runtime.startsWith(`${env.HOME}/.cache/cms/`), seen.runtime);
    assert.equal(seen.child.PATH, env.PATH);
  }
  const [cache, ...more] = [...Deno.readDirSync(`${env.HOME}/.cache/cms`)];
  assert.deepEqual(more, []);
  assert.deepEqual(filesBelow(`${env.HOME}/.cache/cms/${cache!.name}`), ["deno", "main.mjs", "more.mjs"]);
});

Deno.test("the launcher takes XDG_CACHE_HOME for the cache if it is an absolute path", async () => {
  using directory = new TestDirectory();
  const { file, env } = await warm();
  const other = directory.make("other");
  const seen = await report(file, [], { env: { ...env, XDG_CACHE_HOME: other } });
  assert.ok(seen.runtime.startsWith(`${other}/cms/`), seen.runtime);
  const ignored = await report(file, [], { env: { ...env, XDG_CACHE_HOME: "relative" }, cwd: directory.path });
  assert.ok(ignored.runtime.startsWith(`${env.HOME}/.cache/cms/`), ignored.runtime);
});

Deno.test("the launcher says by which name and path it was called", async () => {
  using directory = new TestDirectory();
  const { file, env } = await warm();
  const bin = directory.make("-x bin");
  for (const name of ["queue", "cluster"]) Deno.symlinkSync(file, `${bin}/${name}`);
  const calls: [string, string, string][] = [
    [file, "/", "cms"],
    [`${bin}/queue`, "/", "queue"],
    ["./-x bin/cluster", directory.path, "cluster"],
    ["queue", "/", "queue"],
  ];
  for (const [name, cwd, calledAs] of calls) {
    const { child } = await report(name, [], { env: { ...env, PATH: `/usr/bin:${bin}` }, cwd });
    assert.equal(child.CMS_CALLED_AS, calledAs);
    assert.equal(Deno.realPathSync(child.CMS_SELF!), Deno.realPathSync(file));
    assert.ok(child.CMS_SELF!.startsWith("/"), child.CMS_SELF);
  }
});

for (const shell of ["dash", "bash", "busybox", "zsh"]) {
  needTest(`the launcher runs under ${shell}`, whyNoPrograms(shell), async () => {
    using directory = new TestDirectory();
    const file = await standIn();
    const path = new TextDecoder().decode(
      new Deno.Command("sh", { args: ["-c", `command -v ${shell}`] }).outputSync().stdout,
    );
    const command = shell === "busybox" ? [path.trim(), "sh"] : [path.trim()];
    const env = { HOME: directory.make("home"), NODE_OPTIONS: "--require=/nonexistent", target: "mine" };
    for (const turn of ["first", "later"]) {
      // Deno alone would take a carriage return off the end.
      const words = [turn, "a b", "c\r", "\r", "d\r\r", "e\r\n", "f\rg", ""];
      const { child, args } = await report(file, words, { env, with: command });
      assert.deepEqual(args, words);
      assert.equal(child.NODE_OPTIONS, env.NODE_OPTIONS);
      assert.equal(child.CMS_CALLED_AS, "cms");
    }
  });
}

Deno.test("the launcher is not stopped by the user's environment, and the program's children see all of it", async () => {
  const { file, env } = await warm();
  const given: Record<string, string> = {
    ...env,
    PATH: "/usr/bin:/bin",
    NODE_OPTIONS: "--require=/nonexistent",
    NODE_CHANNEL_FD: "3",
    DENO_V8_FLAGS: "--bogus",
    DENO_DIR: "/nonexistent/deno",
    DENO_UNSTABLE_CONTROL_SOCK: "/none",
    DENO_PERMISSION_BROKER_PATH: "/none",
    DENO_NO_UPDATE_CHECK: "",
    DENO_TOKIO_EVENT_INTERVAL: "61",
    OTEL_DENO: "true",
    LD_LIBRARY_PATH: "/nonexistent",
    CMS_KEPT_DENO_DISABLE_NODE_SHIM: "planted",
    CDPATH: "/tmp",
    IFS: "x",
    ENV: "/nonexistent",
    BASH_ENV: "/nonexistent",
    GZIP: "--bogus",
    TEXT: "two\n NODE_PATH='x\nDENO_CERT=$(exit 9)`exit 9`\n\"'",
    // Names that the launcher uses too, were it careless.
    name: "a",
    line: "b",
    target: "c",
    cache: "d",
    self: "e",
  };
  const { child } = await report(file, [], { env: given });
  const { CMS_SELF: _self, CMS_CALLED_AS: _calledAs, CMS_KEPT_DENO_DISABLE_NODE_SHIM: _planted, ...wanted } = given;
  const { CMS_SELF, CMS_CALLED_AS, PWD: _pwd, OLDPWD: _oldpwd, SHLVL: _shlvl, _: __, ...seen } = child;
  // dash resets IFS for itself as it must; what it exports then is its business.
  delete wanted.IFS;
  delete seen.IFS;
  assert.deepEqual(seen, wanted);
  assert.deepEqual([CMS_SELF, CMS_CALLED_AS], [file, "cms"]);
});

Deno.test("a program of the launcher that is never idle still sees what comes from outside", async () => {
  const { file, env } = await warm();
  const { stdout } = await launch(file, ["turns"], { env });
  // By itself Deno would look once in 61 turns.
  assert.ok(Number(stdout) > 0 && Number(stdout) <= 8, stdout);
});

Deno.test("the launcher reads no configuration of the working directory or above the cache", async () => {
  using directory = new TestDirectory();
  const { file } = await warm();
  const home = directory.make("home");
  for (const place of [home, directory.make("cwd")]) {
    for (const name of ["deno.json", "deno.jsonc", "deno.lock", ".npmrc", "tsconfig.json", ".env"]) {
      Deno.writeTextFileSync(`${place}/${name}`, "{ broken");
    }
  }
  Deno.writeTextFileSync(`${directory.path}/cwd/package.json`, "{ broken");
  Deno.writeTextFileSync(`${home}/package.json`, '{ "type": "commonjs" }');
  const seen = await report(file, ["a"], { env: { HOME: home }, cwd: `${directory.path}/cwd` });
  assert.deepEqual(seen.args, ["a"]);
});

needTest("the launcher starts without a network", whyNoPrograms("unshare") ?? NOT_ROOT, async () => {
  using directory = new TestDirectory();
  const file = await standIn();
  const env = { HOME: directory.make("home"), PATH: "/usr/bin:/bin" };
  assert.deepEqual((await report(file, ["a"], { env, with: ["/usr/bin/unshare", "-n"] })).args, ["a"]);
});

Deno.test("the launcher hands on the exit status and standard input", async () => {
  const { file, env } = await warm();
  assert.equal((await launch(file, ["exit", "7"], { env })).code, 7);
  const child = new Deno.Command(file, { args: ["cat"], env, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("line\n"));
  await writer.close();
  assert.equal(new TextDecoder().decode((await child.output()).stdout), "line\n");
});

Deno.test("the launcher becomes the program: its pid and its signals are the program's", async () => {
  const { file, env } = await warm();
  const child = start(file, ["wait"], { env });
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  assert.equal(text, `waiting ${child.pid}\n`);
  child.kill("SIGTERM");
  assert.equal((await child.status).signal, "SIGTERM");
  await reader.cancel();
  await child.stderr.cancel();
});
