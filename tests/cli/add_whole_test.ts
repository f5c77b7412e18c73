/** `cms queue add --from` and `--stdin`. */
import assert from "node:assert/strict";
import { cms } from "../../src/cli/program.ts";
import { FakeTerminal, type Place, withPlace } from "./harness.ts";

async function withInput(
  { deps }: Place,
  input: string,
  ...args: string[]
): Promise<FakeTerminal & { status: number }> {
  const io = new FakeTerminal();
  io.input = input;
  const status = await cms(["queue", "add", "a", ...args], deps, io);
  return Object.assign(io, { status });
}

Deno.test("queue add --from copies a queue: from its file, and from what list prints in each form", async () => {
  await withPlace(async (place) => {
    const { ok, run, directory } = place;
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=t-{x}", "--param=x=1,2", "--command=echo '{x}' \"$HOME\"", "--tags=k={x}");
    await ok("queue", "set", "a", "--name=t-2", "--set=tags.night=", "--set=tags.by=me", "--set=priority=3");
    await ok(
      "queue",
      "add",
      "a",
      "--name=last",
      "--command=exit 3",
      "--after=t-[1-2]",
      "--retries=2",
      "--retry-on=75",
    );
    await run("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    const list = (queue: string): Promise<string> =>
      ok(
        "queue",
        "list",
        queue,
        "--output=csv",
        "--columns=name,command,priority,after,retries,params,index,tags,output",
      );
    const tagged = await ok("queue", "list", "a", "--where=tag.k=2", "--columns=name,index,tag.by", "--output=csv");
    assert.equal(tagged, "name,index,tag.by\nt-2,2,me\n");
    await Deno.writeTextFile(`${directory}/j.json`, await ok("queue", "list", "a", "--output=json", "--wide"));
    await Deno.writeTextFile(`${directory}/y.yaml`, await ok("queue", "list", "a", "--output=yaml"));
    for (const [queue, file] of [["b", "j.json"], ["c", "y.yaml"], ["d", "experiment/a-queue.yaml"]] as const) {
      await ok("queue", "create", queue);
      assert.match(await ok("queue", "add", queue, `--from=${file}`), /^INFO: Adding job t-1 to queue [bcd]\n/);
      assert.equal(await list(queue), await list("a"), file);
      assert.equal(
        await ok("queue", "list", queue, "--columns=status,exit_code,started", "--output=csv"),
        [
          "status,exit_code,started",
          ...Array(3).fill("undefined,,"),
          "",
        ].join("\n"),
      );
    }
    const [, second] = JSON.parse(await Deno.readTextFile(`${directory}/j.json`));
    await Deno.writeTextFile(`${directory}/one.json`, JSON.stringify([second]));
    await ok("queue", "create", "e");
    await ok("queue", "add", "e", "--from=one.json");
    const kept = await ok("queue", "list", "e", "--columns=name,index,tag.k", "--output=csv");
    assert.equal(kept, "name,index,tag.k\nt-2,2,2\n", "alone it keeps its place");
    await ok("queue", "add", "d", "--from=j.json", "--priority=7", "--dry-run");
    await ok("queue", "add", "d", "--from=j.json", "--priority=7");
    assert.equal(
      (await ok("queue", "list", "d", "--where=priority=7", "--columns=name", "--output=csv")).split("\n").length,
      5,
    );
  });
});

Deno.test("queue add --stdin answers each line once its job is durable, and goes on after one that cannot be used", async () => {
  await withPlace(async (place) => {
    await place.ok("queue", "create", "a");
    const lines = [
      '{"name":"p","command":"echo ü"}',
      "",
      '{"name":"q","command":"true","after":["p"]}',
      "nonsense",
      '{"name":"r","command":"true","after":["none"]}',
      '{"name":"p","command":"second"}',
      ...Array.from({ length: 1500 }, (_, i) => `{"name":"job${i}","command":"echo ${i}"}`),
      '{"name":"last","command":"true"}',
    ];
    const io = await withInput(place, lines.join("\n"), "--stdin", "--priority=2");
    const answers = io.text("out").trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(io.status, 1);
    assert.deepEqual(answers.map(({ name }) => name), [
      ...["p", "q", undefined, undefined, "p"],
      ...Array.from({ length: 1500 }, (_, i) => `job${i}`),
      "last",
    ]);
    assert.deepEqual(answers.filter(({ error }) => error).map(({ line }) => line), [4, 5]);
    assert.match(answers[3].error, /after none: not in the queue/);
    const list = JSON.parse(await place.ok("queue", "list", "a", "--output=json")) as Record<string, unknown>[];
    assert.equal(list.length, 1503);
    assert.deepEqual([list[0]!["command"], list[0]!["priority"]], ["second", 2]);
    assert.equal(list[0]!["id"], answers[4].id);
    assert.equal((await withInput(place, '{"name":"z","command":"true"}\n', "--stdin")).status, 0);
  });
});

Deno.test("queue add refuses words that cannot go with whole jobs, and files that hold none", async () => {
  await withPlace(async (place) => {
    const { ok, run, directory } = place;
    await ok("queue", "create", "a");
    await Deno.writeTextFile(`${directory}/j.json`, '[{"name":"a","command":"true"}]');
    await Deno.writeTextFile(`${directory}/bad.json`, '[{"name":"a","command":"true"},{"name":"b"}]');
    for (
      const [words, reason] of [
        [["--from=j.json", "--name=x"], /Cannot use --name with --from/],
        [["--from=j.json", "--command=x"], /Cannot use --command with --from/],
        [["--from=j.json", "--param=x=1"], /Cannot use --param with --from/],
        [["--from=j.json", ":::", "1"], /Cannot use ::: with --from/],
        [["--stdin", "--each-line=x"], /Cannot use --each-line with --stdin/],
        [["--stdin", "--dry-run"], /Cannot use --dry-run with --stdin/],
        [["--stdin", "--from=j.json"], /Cannot use --from with --stdin/],
        [["--from=none.json"], /Cannot read none.json: there is no such file/],
        [["--from=bad.json"], /Cannot use bad.json: job 2: command is missing/],
        [["--command=x"], /Required option '--name <name>' not specified/],
      ] as const
    ) {
      const { status, err } = await run("queue", "add", "a", ...words);
      assert.equal(status, 2, words.join(" "));
      assert.match(err, reason);
      assert.match(err, /^ERROR: [^\n]+\n$/);
    }
    assert.match(await ok("queue", "list", "a"), /is empty/);
  });
});
