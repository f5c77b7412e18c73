/** `cms queue log` and `follow` as a person sees them, of jobs on localhost. */
import assert from "node:assert/strict";
import { cms } from "../../src/cli/program.ts";
import { FakeTerminal, type Place, withPlace } from "./harness.ts";

const HOSTS = "--hosts=localhost,localhost";

async function withJobs(use: (place: Place) => Promise<void>): Promise<void> {
  await withPlace(async (place) => {
    await place.ok("queue", "create", "a");
    const command = "echo one; echo two; echo three; echo wrong >&2; [ $0 != job2.sh ] || exit 3";
    await place.ok("queue", "add", "a", "--name=job[1-2]", `--command=${command}`, "--shell=sh");
    await place.ok("queue", "add", "a", "--name=odd", "--command=printf 'a\\033[2J\\tb\\r\\n\\377end'", "--shell=sh");
    await place.run("queue", "run", "fifo_multi", "a", HOSTS);
    await use(place);
  });
}

Deno.test("queue log shows all of one job, and the last lines of each of several under a head", async () => {
  await withJobs(async ({ ok }) => {
    assert.equal(await ok("queue", "log", "a", "job1"), "one\ntwo\nthree\n");
    assert.equal(await ok("queue", "log", "a", "job1", "--error"), "wrong\n");
    assert.equal(await ok("queue", "log", "a", "job1", "--both", "--tail=1"), "out| three\nerr| wrong\n");
    assert.equal(await ok("queue", "log", "a", "--name=job1", "--head=2"), "one\ntwo\n");
    assert.match(await ok("queue", "log", "a", "job1", "--states"), /^# cloudmesh state: start\n[^]*state: end\n$/);
    const several = (await ok("queue", "log", "a", "--name=job[1-2]", "--tail=1")).replaceAll(/, [0-9]+s/g, "");
    assert.equal(
      several,
      "==> job1 (localhost, end 0) <==\nthree\n\n==> job2 (localhost, end 3) <==\nthree\n\n",
    );
    assert.match(await ok("queue", "log", "a", "--failed"), /^one\ntwo\nthree\n$/);
  });
});

Deno.test("queue log gives a pipe the bytes, and a terminal no control characters of a job", async () => {
  await withJobs(async ({ deps, ok }) => {
    assert.equal(await ok("queue", "log", "a", "odd"), "a\u001b[2J\tb\r\n\ufffdend");
    const io = new FakeTerminal(true);
    assert.equal(await cms(["queue", "log", "a", "odd"], deps, io), 0);
    assert.equal(io.text("out"), "a\\x1b[2J\tb\n\ufffdend\n");
    const raw = new FakeTerminal(true);
    assert.equal(await cms(["queue", "log", "a", "odd", "--raw"], deps, raw), 0);
    assert.ok(raw.text("out").includes("\u001b[2J"));
    // Each byte as a character.
    class Pipe extends FakeTerminal {
      override bytes(bytes: Uint8Array): Promise<void> {
        return Promise.resolve(this.out([...bytes].map((byte) => String.fromCharCode(byte)).join("")));
      }
    }
    // deno-lint-ignore no-control-regex
    const written = /a\u001b\[2J\tb\r\n(?:out\| |odd: )?\u00ffend/;
    for (const words of ["--name=odd,job1", "odd --tail=5", "odd --both --all", "--name=odd,job1 --follow --all"]) {
      const pipe = new Pipe();
      assert.equal(await cms(["queue", "log", "a", ...words.split(" ")], deps, pipe), 0);
      assert.match(pipe.text("out"), written, words);
    }
  });
});

Deno.test("queue log says what is not there, and of what it shows only the end", async () => {
  await withJobs(async ({ deps, ok, run }) => {
    await ok("queue", "add", "a", "--name=later", "--command=true");
    assert.equal(await ok("queue", "log", "a", "later"), "INFO: Job later has not run yet.\n");
    const missing = await run("queue", "log", "a", "none");
    assert.deepEqual([missing.status, missing.err], [1, "WARNING: Job none does not exist in queue a\n"]);
    assert.equal((await run("queue", "log", "a", "job1", "--head=1", "--all")).status, 2);
    await ok("queue", "add", "a", "--name=big", "--command=head -c 3000000 /dev/zero | tr '\\0' x", "--shell=sh");
    await run("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    const cut = await run("queue", "log", "a", "big");
    assert.deepEqual([cut.out.length, cut.err], [
      1024 * 1024,
      "WARNING: Shown is the last 1 MiB of big; --all shows all of it\n",
    ]);
    assert.equal((await run("queue", "log", "a", "big", "--all")).out.length, 3_000_000);
    assert.equal((await run("queue", "log", "a", "big", "--head=5")).out.length, 3_000_000);
    assert.equal((await run("queue", "log", "a", "--name=big,job1")).out.length < 200_000, true);
    // Lines that are longer than most, and more of them than fit one piece.
    const lines = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); printf '%d %05000d\\n' $i 0; done";
    await ok("queue", "add", "a", "--name=long", `--command=${lines}`, "--shell=sh");
    await run("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    const numbers = (text: string) => text.trimEnd().split("\n").map((line) => Number(line.split(" ")[0]));
    const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
    assert.deepEqual(numbers(await ok("queue", "log", "a", "long", "--tail=390")), upTo(400).slice(10));
    assert.deepEqual(numbers(await ok("queue", "log", "a", "long", "--head=390")), upTo(390));
    const io = new FakeTerminal(true);
    assert.equal(await cms(["queue", "log", "a", "long", "--all"], deps, io), 0);
    assert.deepEqual(numbers(io.text("out")), upTo(400));
    assert.equal((await run("queue", "log", "a", "long", "--follow", "--head=3")).status, 2);
    assert.deepEqual(numbers(await ok("queue", "follow", "a", "long", "--tail=390")), upTo(400).slice(10));
    // From now on: all of them are over.
    assert.equal(await ok("queue", "follow", "a", "--name=long,job1"), "");
  });
});

Deno.test("queue follow goes on with jobs that wait when they start, and ends with them: one job's own code, else 1", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "a");
    const gate = "until [ -e ../go ]; do sleep 0.05; done";
    await ok(
      "queue",
      "add",
      "a",
      "--name=job[1-2]",
      `--command=echo begin; ${gate}; echo finish; exit 5`,
      "--shell=sh",
    );
    // Of a try that is followed by another nothing is left out.
    const tries = "echo try $CMS_TRY; test $CMS_TRY = 3";
    await ok(
      "queue",
      "add",
      "a",
      "--name=tried",
      `--command=${tries}`,
      "--retries=2",
      "--retry-delay=1s",
      "--shell=sh",
    );
    const tried = run("queue", "follow", "a", "tried", "--all");
    const one = run("queue", "follow", "a", "job2", "--all");
    const both = run("queue", "log", "a", "--name=job[1-2]", "--follow", "--all");
    const running = run("queue", "run", "fifo_multi", "a", HOSTS);
    assert.equal((await run("queue", "wait", "a", "--name=job[1-2]", "--for=started", "--timeout=30s")).status, 0);
    await Deno.writeTextFile(`${directory}/experiment/go`, "");
    await running;
    const { out: all, status: code } = await tried;
    assert.deepEqual([all.replaceAll(/^INFO: .*\n/gm, ""), code], ["try 1\ntry 2\ntry 3\n", 0]);
    assert.deepEqual(await one, { out: "begin\nfinish\n", err: "", status: 5 });
    const { out, status } = await both;
    assert.equal(status, 1);
    assert.deepEqual(out.trimEnd().split("\n").toSorted(), [
      "job1: begin",
      "job1: finish",
      "job2: begin",
      "job2: finish",
    ]);
  });
});
