/** `cms queue add` of many jobs from few words. */
import assert from "node:assert/strict";
import { cms } from "../../src/cli/program.ts";
import { FakeTerminal, withPlace } from "./harness.ts";

Deno.test("a sweep adds a job for each value, runs it, and lists its parameters as columns", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    const words = ["queue", "add", "a", "--name=t-{lr}-{s}", "--param=lr=0.1,0.01", "--param", "s=1-2", "--shell=sh"];
    const command = "--command=printf '%s %s' {lr} \"s={s}\"";
    const dry = await ok(...words, command, "--dry-run");
    assert.match(dry, /^4 jobs would be added:\n {2}t-0\.1-1: printf '%s %s' 0\.1 "s=1"\n/);
    assert.match(await ok("queue", "list", "a"), /is empty/);
    assert.equal(JSON.parse(await ok(...words, command, "--dry-run", "--format=json")).length, 4);
    assert.match(await ok(...words, command), /^INFO: Adding job t-0\.1-1 to queue a\n/);
    await run("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    assert.equal(await ok("queue", "log", "a", "t-0.01-2"), "0.01 s=2");
    const csv = await ok("queue", "list", "a", "--wide", "--output=csv", "--where=param.lr<0.05", "--where=param.s=2");
    const [head = "", row = ""] = csv.trim().split("\n");
    const at = (field: string) => row.split(",")[head.split(",").indexOf(field)];
    assert.deepEqual([at("name"), at("param.lr"), at("param.s")], ["t-0.01-2", "0.01", "2"]);
  });
});

Deno.test("a sweep takes rows of files and lines, also of standard input", async () => {
  await withPlace(async ({ ok, deps, directory }) => {
    await ok("queue", "create", "a");
    await Deno.writeTextFile(`${directory}/p.csv`, 'name,n\r\n"it\'s; $(x)",1\r\nb,2\r\n');
    await ok("queue", "add", "a", "--name=r{n}", "--param-file=p.csv", "--command=echo {name}");
    const io = new FakeTerminal();
    io.input = "# no\none.txt\n\ntwo/b.tar.gz\n";
    assert.equal(
      await cms(["queue", "add", "a", "--name={/.}", "--each-line=-", "--comments", "--command=wc {}"], deps, io),
      0,
    );
    assert.equal(
      await ok("queue", "list", "a", "--columns=name,command", "--output=csv"),
      "name,command\nr1,echo 'it'\\''s; $(x)'\nr2,echo b\none,wc one.txt\nb.tar,wc two/b.tar.gz\n",
    );
  });
});

Deno.test("a sweep that cannot be meant is refused with one line, and adds nothing", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "a");
    await Deno.writeTextFile(`${directory}/e.csv`, "a\n");
    for (const name of ["latin.txt", "latin.csv"]) {
      await Deno.writeFile(`${directory}/${name}`, Uint8Array.of(0x61, 0x0a, 0xf3, 0x0a));
    }
    await Deno.mkdir(`${directory}/dir.csv`);
    for (const words of [["--each-line=latin.txt"], ["--param-file=latin.csv"], ["::::", "latin.txt"]]) {
      const { status, err } = await run("queue", "add", "a", "--name=x", "--command=true", ...words);
      assert.deepEqual([status, err], [
        2,
        `ERROR: ${words.at(-1)!.split("=").at(-1)}: cannot read: it is not UTF-8 text\n`,
      ]);
    }
    const cases = [
      ...[["--param=lr"], ["--param=a=1,2", "--param=b=1", "--link"], ["--param=a=1", "--param=a=2"], [
        "--param-file=none.csv",
      ]],
      ...[["--param-file=e.csv"], ["--param=a=1-400", "--param=b=1-400"], ["--each-line=none"]],
      ["--param-file=dir.csv"],
    ];
    const list = await run("queue", "add", "a", "--name=j[1-2]", "--param=x=1,2", "--command=true");
    assert.match(list.err, /^ERROR: Cannot use the list "j\[1-2\]" as the name of a sweep: write a placeholder/);
    const many = await run("queue", "add", "a", "--name=x", "--param=a=1-400", "--param=b=1-400", "--command=true");
    assert.match(many.err, /^ERROR: Cannot add 160000 jobs at once without --yes: they are more than 100000; /);
    const more = await run(
      "queue",
      "add",
      "a",
      "--name=x",
      "--param=a=1-1001",
      "--param=b=1-1000",
      "--command=true",
      "--yes",
    );
    assert.match(more.err, /^ERROR: Cannot add 1001000 jobs at once: the most is 1000000; /);
    const dry = await ok(
      "queue",
      "add",
      "a",
      "--name=x",
      "--param=a=1-400",
      "--param=b=1-400",
      "--command=true",
      "--dry-run",
    );
    assert.match(dry, /^160000 jobs would be added:\n/);
    const plain = await run("queue", "add", "a", "--name=y[1-100001]", "--command=true");
    assert.match(plain.err, /^ERROR: .* has more than 100000 names; --yes allows 1000000 names and 128 MiB\n$/);
    const most = await run("queue", "add", "a", "--name=y[1-1000001]", "--command=true", "--yes");
    assert.match(most.err, /^ERROR: .* has more than 1000000 names; split it\n$/);
    // It is nothing else than agreement: a plain list is what it was.
    await ok("queue", "add", "a", "--name=y[1-2]", "--command=true", "--yes");
    await ok("queue", "delete", "a", "--name=y[1-2]", "--yes");
    for (const words of cases) {
      const { status, err } = await run("queue", "add", "a", "--name=x", "--command=true", ...words);
      assert.equal(status, 2, words.join(" "));
      assert.match(err, /^ERROR: [^\n]+\n$/);
    }
    assert.equal((await run("queue", "add", "a", "--name=x")).status, 2);
    assert.match(await ok("queue", "list", "a"), /is empty/);
  });
});
