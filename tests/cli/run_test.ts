/** `cms queue run` as a person sees it, on localhost. */
import assert from "node:assert/strict";
import { cms } from "../../src/cli/program.ts";
import { FakeTerminal, withPlace } from "./harness.ts";

/** Shell text that waits for a file, but not for ever: a test that fails leaves nothing running. */
function waitFor(path: string): string {
  return `n=0; until [ -e ${path} ] || [ $n -gt 400 ]; do n=$((n+1)); sleep 0.05; done; [ -e ${path} ]`;
}

const RULE = `# ${"-".repeat(70)}`;

Deno.test("queue run fifo prints the document's lines, and names the job that did not end well", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=good", "--command=true", "--user=tester", "--host=localhost");
    await ok("queue", "add", "a", "--name=bad", "--command='exit 7'", "--user=tester", "--host=localhost");
    const { out, err, status } = await run("queue", "run", "fifo", "a", "--max_parallel=1", "--timeout=0.5");
    const start = (name: string) =>
      `INFO: Running job: ${name} on tester@localhost\n\n${RULE}\n# Run: ${name}\n${RULE}\n\nINFO: Running Jobs: ['${name}']\n`;
    const lines = out.replaceAll("INFO: Waiting. At max_parallel jobs=1.\n", "");
    const names = "['good', 'bad']";
    assert.equal(lines, `${start("good")}${start("bad")}INFO: Ran Jobs: ${names}\nINFO: Completed Jobs: ${names}\n`);
    assert.equal(err, "WARNING: Job bad did not end well: exit code 7 on tester@localhost\n");
    assert.equal(status, 1);
    assert.match(await ok("queue", "list", "a", "--wide"), /\| bad {2}\| end .*\| 7 /);
  });
});

Deno.test("queue run fifo_multi takes a host that is named twice for two jobs at once", async () => {
  await withPlace(async ({ ok }) => {
    await ok("queue", "create", "a");
    // Each job ends only when the other has begun.
    const command = `touch ../$ME; ${waitFor("../$YOU")}`;
    await ok("queue", "add", "a", "--name=one", `--command=ME=x YOU=y; ${command}`, "--shell=sh");
    await ok("queue", "add", "a", "--name=two", `--command=ME=y YOU=x; ${command}`, "--shell=sh");
    const out = await ok("queue", "run", "fifo_multi", "a", "--hosts=localhost,localhost", "--timeout=0.5");
    assert.match(out, /INFO: Running Jobs: \['one', 'two'\]\n/);
    assert.match(out, /INFO: Completed Jobs: \['one', 'two'\]\n$/);
  });
});

Deno.test("on a terminal a run shows its progress and takes it away at the end", async () => {
  await withPlace(async ({ ok, deps }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=job[1-3]", "--command=true");
    const io = new FakeTerminal(true);
    assert.equal(await cms(["queue", "run", "fifo_multi", "a", "--hosts=localhost", "--timeout=0.5"], deps, io), 0);
    assert.match(io.text("out"), /of 3 done, \d running, 0 failed/);
    const last = io.text("out").split("\r\u001b[2K").at(-1) ?? "";
    assert.match(last, /Ran Jobs: .*\n.*Completed Jobs: .*\n$/);
  });
});

Deno.test("an interrupt leaves running jobs alone and says how to go on", async () => {
  await withPlace(async ({ ok, deps, directory }) => {
    await ok("queue", "create", "a");
    const gate = `${directory}/gate`;
    await ok("queue", "add", "a", "--name=job[1-2]", `--command=${waitFor(gate)}`);
    const io = new FakeTerminal();
    const words = ["queue", "run", "fifo_multi", "a", "--hosts=localhost", "--timeout=0.5"];
    const write = io.out.bind(io);
    io.out = (text) => {
      write(text);
      if (text.includes("Running Jobs: ['job1']")) {
        io.stop.abort("SIGINT");
        io.leave.abort("SIGINT");
      }
    };
    assert.equal(await cms(words, deps, io), 1);
    assert.match(
      io.text("err"),
      /Still running: 1, waiting: 1\. To go on: cms queue run fifo_multi a --hosts=localhost --timeout=0\.5\n/,
    );
    assert(!io.text("out").includes("['job1', 'job2']"));
    await Deno.writeTextFile(gate, "");
    const out = await ok(...words);
    assert.match(out, /INFO: Completed Jobs: \['job1', 'job2'\]\n$/);
  });
});

Deno.test("a run that has nothing to do says why, and how to run jobs again", async () => {
  await withPlace(async ({ ok }) => {
    await ok("queue", "create", "a");
    const words = ["queue", "run", "fifo_multi", "a", "--hosts=localhost", "--timeout=0.5"];
    const rest = "INFO: Ran Jobs: []\nINFO: Completed Jobs: []\n";
    const empty =
      "INFO: Nothing to run: the queue is empty. To add a job: cms queue add a --name=job1 --command=hostname\n";
    assert.equal(await ok(...words), empty + rest);
    await ok("queue", "add", "a", "--name=job[1-2]", "--command=true");
    assert.doesNotMatch(await ok(...words), /Nothing to run/);
    const over = "INFO: Nothing to run: no job waits (2 in end). " +
      "To run jobs again: cms queue reset a --status=end, then run the queue\n";
    assert.equal(await ok(...words), over + rest);
    assert.equal(await ok("queue", "run", "fifo", "a", "--max_parallel=1", "--timeout=0.5"), over + rest);
  });
});

Deno.test("a job that fifo skipped makes the status 1, and is told with what it lacks", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=bare", "--command=true");
    await ok("queue", "add", "a", "--name=here", "--command=true", "--host=localhost");
    await ok("queue", "add", "a", "--name=mine", "--command=true", "--user=me");
    await ok("queue", "add", "a", "--name=good", "--command=true", "--user=me", "--host=localhost");
    const { out, err, status } = await run("queue", "run", "fifo", "a", "--max_parallel=1", "--timeout=0.5");
    assert.match(
      out,
      /^INFO: Skipping job: bare, it has no user and host\.\nINFO: Skipping job: here, it has no user\.\nINFO: Skipping job: mine, it has no host\.\n/,
    );
    assert.match(out, /Completed Jobs: \['good'\]\n$/);
    assert.deepEqual([err, status], ["WARNING: Skipped, and still waiting: ['bare', 'here', 'mine']\n", 1]);
  });
});

for (const scheduler of ["fifo", "fifo_multi"] as const) {
  Deno.test(`a job that is killed during a run of ${scheduler} is not completed, and makes the status 1`, async () => {
    await withPlace(async ({ ok, deps, directory }) => {
      await ok("queue", "create", "a");
      const place = ["--user=me", "--host=localhost"];
      await ok("queue", "add", "a", "--name=gone", `--command=${waitFor(`${directory}/nothing`)}`, ...place);
      await ok("queue", "add", "a", "--name=good", "--command=true", ...place);
      const io = new FakeTerminal();
      const write = io.out.bind(io);
      let deleting: Promise<unknown> | null = null;
      io.out = (text) => {
        write(text);
        if (text.includes("['gone']")) deleting ??= ok("queue", "delete", "a", "--name=gone");
      };
      const how = scheduler === "fifo" ? "--max_parallel=1" : "--hosts=localhost";
      assert.equal(await cms(["queue", "run", scheduler, "a", how, "--timeout=0.5"], deps, io), 1);
      await deleting;
      assert.match(io.text("out"), /Completed Jobs: \['good'\]\n$/);
      assert.match(io.text("err"), /^WARNING: Job gone did not end well: kill(, exit code \d+)? on (me@)?localhost\n$/);
    });
  });
}
