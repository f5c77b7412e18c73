/**
 * Directories of jobs belong to the queue that made them: a job of the same name of another queue has its own, beside
 * it.
 */

import assert from "node:assert/strict";
import { jobName } from "../../src/names/grammar.ts";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, endOf, QUEUE_ID, SHELLS, start, withPlace } from "./support.ts";

/** Another queue than that of `withPlace`. */
const OTHER = "fedcba9876543210";
const BESIDE = `job1.${OTHER}`;

/** An attempt of a job of the same name in the other queue. */
const theirs = { job: jobName("job1"), attempt: `other${crypto.randomUUID().slice(0, 8)}.1` };

for (const shell of SHELLS) {
  const ownerTest = (name: string, body: Parameters<typeof withPlace>[1]) =>
    Deno.test(`owners in ${shell}: ${name}`, () => withPlace(shell, body));

  ownerTest(
    "two queues with a job of the same name each have whole results, and neither touches the other's",
    async (place) => {
      const ours = await place.connect();
      ours.link.start([start("job1", "echo ours; sleep 60")]);
      await ours.event("started");
      const other = await place.connect({ queueId: OTHER });
      other.link.start([start("job1", "echo theirs; echo more >&2", theirs)]);
      assert.equal((await other.event("ended")).exitCode, 0);
      assert.equal((await other.event("beside")).directory, BESIDE);
      assert.equal(await place.text(`${place.directory}/${BESIDE}/job1.out`), "theirs\n");
      assert.equal(await place.text(`${place.directory}/${BESIDE}/job1-nohup.log`), "more\n");
      assert.equal(await place.file("job1", ".out"), "ours\n");
      const [state] = await other.link.ask([theirs]);
      assert.ok(state?.type === "ended" && state.directory === BESIDE);
      const out = await other.link.read(theirs, "job1.out", { maxBytes: 99 });
      assert.equal(new TextDecoder().decode(out ?? undefined), "theirs\n");

      assert.deepEqual(await other.link.remove([theirs]), ["removed"]);
      // Now it has none: nothing of ours is to be had, ended or removed.
      assert.deepEqual(await other.link.remove([theirs]), ["absent"]);
      assert.deepEqual(await other.link.kill([theirs], { graceMs: 0 }), [{ type: "none" }]);
      assert.equal(await other.link.read(theirs, "job1.out", { maxBytes: 99 }), null);
      assert.equal((await ours.link.ask([attempt("job1")]))[0]?.type, "alive");
      assert.equal((await ours.link.kill([attempt("job1")], { graceMs: 0 }))[0]?.type, "ended");
      assert.deepEqual(await ours.link.remove([attempt("job1")]), ["removed"]);
    },
  );

  ownerTest(
    "a directory beside whose claims a power cut took stays its queue's, also for a job that was replaced",
    async (place) => {
      const ours = await place.connect();
      ours.link.start([start("job1", "echo ours")]);
      await ours.event("ended");
      const other = await place.connect({ queueId: OTHER });
      other.link.start([start("job1", "echo theirs", theirs)]);
      await other.event("ended");
      const beside = `${place.directory}/${BESIDE}`;
      // Its end is told before its wrapper is done with the claim.
      await endOf(other.link, theirs);
      await Deno.remove(`${beside}/job1.run`);
      const replaced = { ...theirs, attempt: `later${crypto.randomUUID().slice(0, 8)}.1` };
      other.link.start([start("job1", "echo again", replaced)]);
      await waitUntil("its output", async () => (await place.text(`${beside}/job1.out`)) === "again\n");
      await endOf(other.link, replaced);
      await Deno.remove(`${beside}/job1.run`);
      const last = { ...theirs, attempt: `last${crypto.randomUUID().slice(0, 8)}.1` };
      assert.deepEqual(await other.link.forbid([last]), [{ type: "forbidden" }]);
      assert.deepEqual(await other.link.remove([last]), ["removed"]);
      assert.equal(await place.file("job1", ".out"), "ours\n");
    },
  );

  ownerTest(
    "directories that were made ahead go, also while another agent removes their jobs",
    async (place) => {
      const [run, visitor] = [await place.connect(), await place.connect({ role: "visitor" })];
      const attempts = Array.from({ length: 24 }, (_, i) => attempt(`job${i + 1}`));
      const jobs = attempts.map(({ job }) => job);
      const left = () =>
        [...Deno.readDirSync(place.directory)].map(({ name }) => name).filter((name) => name !== ".cms");
      for (let i = 0; i < 8; i++) {
        run.link.prepare(jobs);
        await run.link.ask(attempts.slice(0, 1));
        assert.equal(left().length, jobs.length);
        // The one begins where the other ends: they meet.
        const removed = visitor.link.remove(attempts.toReversed());
        run.link.unprepare(jobs);
        await Promise.all([removed, run.link.ask(attempts.slice(0, 1))]);
        assert.deepEqual(left(), []);
      }
      await Deno.mkdir(`${place.directory}/job2`);
      run.link.prepare(jobs);
      await run.link.ask(attempts.slice(0, 1));
      await Deno.writeTextFile(`${place.directory}/job3/.hidden`, "a person's");
      await visitor.link.forbid(attempts.slice(3, 4));
      run.link.unprepare(jobs);
      await run.link.ask(attempts.slice(0, 1));
      assert.deepEqual(left().sort(), ["job2", "job3", "job4"]);
      assert.deepEqual(await visitor.link.remove(attempts.slice(2, 4)), ["removed", "removed"]);
      const [host] = [...Deno.readDirSync(`${place.directory}/.cms/${QUEUE_ID}`)];
      const own = [...Deno.readDirSync(`${place.directory}/.cms/${QUEUE_ID}/${host!.name}`)].map(({ name }) => name);
      assert.deepEqual(own.filter((name) => name.startsWith("x.")), []);
    },
  );

  ownerTest("a directory that was made ahead is the first one's who starts there", async (place) => {
    const ours = await place.connect();
    ours.link.prepare([jobName("job1")]);
    await ours.link.ask([attempt("job1")]);
    const other = await place.connect({ queueId: OTHER });
    other.link.start([start("job1", "echo theirs", theirs)]);
    await other.event("ended");
    ours.link.start([start("job1", "echo ours")]);
    const { directory } = await ours.event("beside");
    await ours.event("ended");
    assert.equal(await place.text(`${place.directory}/${directory}/job1.out`), "ours\n");
    assert.equal(await place.file("job1", ".out"), "theirs\n");
  });

  ownerTest("a directory that input files are copied to is its queue's", async (place) => {
    const ours = await place.connect();
    await ours.link.stage([attempt("job1")], "/nowhere");
    const other = await place.connect({ queueId: OTHER });
    await other.link.stage([theirs], "/nowhere");
    other.link.start([start("job1", "echo theirs", theirs)]);
    assert.equal((await other.event("beside")).directory, BESIDE);
    await other.event("ended");
    ours.link.start([start("job1", "echo ours")]);
    await ours.event("ended");
    assert.equal(await place.file("job1", ".out"), "ours\n");
    assert.deepEqual(ours.events.map(({ type }) => type), ["started", "ended"]);
    assert.deepEqual(await ours.link.remove([attempt("job1")]), ["removed"]);
  });

  ownerTest("the place of a job stays the same when the other queue's directory goes", async (place) => {
    const ours = await place.connect();
    ours.link.start([start("job1", "true")]);
    await ours.event("ended");
    const other = await place.connect({ queueId: OTHER });
    other.link.start([start("job1", "sleep 60", theirs)]);
    await other.event("started");
    await ours.link.remove([attempt("job1")]);
    assert.equal((await other.link.ask([theirs]))[0]?.type, "alive");
    assert.equal((await other.link.forbid([theirs]))[0]?.type, "alive");
    other.link.start([start("job1", "true", theirs)]);
    assert.equal((await other.event("known")).state.type, "alive");
    await other.link.kill([theirs], { graceMs: 0 });
    assert.deepEqual([...Deno.readDirSync(place.directory)].map(({ name }) => name).sort(), [".cms", BESIDE]);
  });

  for (const lost of ["gone", "empty"]) {
    ownerTest(
      `results whose claim a power cut has taken (${lost}) stay their queue's, as the log says whose they are`,
      async (place) => {
        const ours = await place.connect();
        ours.link.start([start("job1", "echo ours")]);
        await ours.event("ended");
        const claim = `${place.directory}/job1/job1.run`;
        if (lost === "gone") await Deno.remove(claim);
        else {
          await Deno.writeTextFile(claim, "");
          await Deno.utime(claim, 1, 1);
        }
        const other = await place.connect({ queueId: OTHER });
        assert.deepEqual(await other.link.remove([theirs]), ["absent"]);
        other.link.start([start("job1", "echo theirs", theirs)]);
        assert.equal((await other.event("beside")).directory, BESIDE);
        await other.event("ended");
        assert.equal(await place.file("job1", ".out"), "ours\n");
        const again = { job: jobName("job1"), attempt: attempt("job1").attempt.replace(/1$/, "2") };
        ours.link.start([start("job1", "echo again", again)]);
        await waitUntil(
          "the second attempt has ended",
          () => ours.events.filter(({ type }) => type === "ended").length === 2,
        );
        assert.equal(await place.file("job1", ".out"), "again\n");
        assert.equal(
          ours.events.filter(({ type }) => type === "reused").length,
          1,
        );
      },
    );
  }

  ownerTest("a start that was forbidden beside never comes", async (place) => {
    const ours = await place.connect();
    ours.link.start([start("job1", "true")]);
    await ours.event("ended");
    const other = await place.connect({ queueId: OTHER });
    assert.deepEqual(await other.link.forbid([theirs]), [{ type: "forbidden" }]);
    other.link.start([start("job1", "true", theirs)]);
    assert.equal((await other.event("known")).state.type, "forbidden");
    assert.equal((await ours.link.ask([attempt("job1")]))[0]?.type, "ended");
  });

  ownerTest("a job that moved to another queue id is followed where it is", async (place) => {
    const ours = await place.connect();
    ours.link.start([start("job1", "sleep 60")]);
    await ours.event("started");
    const moved = await place.connect({ queueId: OTHER });
    assert.equal((await moved.link.forbid([attempt("job1")]))[0]?.type, "alive");
    assert.equal((await moved.link.kill([attempt("job1")], { graceMs: 0 }))[0]?.type, "ended");
    assert.deepEqual(await moved.link.remove([attempt("job1")]), ["removed"]);
  });

  ownerTest("files of a person are input for both, results are not", async (place) => {
    await Deno.mkdir(`${place.directory}/job1/sub`, { recursive: true });
    await Deno.writeTextFile(`${place.directory}/job1/sub/input`, "input\n");
    const ours = await place.connect();
    ours.link.start([start("job1", "cat sub/input; echo ours", { output: "result" })]);
    await ours.event("ended");
    const other = await place.connect({ queueId: OTHER });
    other.link.start([start("job1", "cat sub/input; echo theirs; ls -d *", { ...theirs, output: "result" })]);
    assert.equal((await other.event("ended")).exitCode, 0);
    assert.match(await place.text(`${place.directory}/${BESIDE}/result`), /^input\ntheirs\njob1/);
    assert.equal(await place.text(`${place.directory}/job1/result`), "input\nours\n");
    assert.deepEqual(await other.link.remove([theirs]), ["removed"]);
    assert.equal(await place.text(`${place.directory}/job1/result`), "input\nours\n");
  });

  ownerTest("many queues start jobs of the same names at once, and each has its own", async (place) => {
    const ids = Array.from({ length: 4 }, (_, i) => `${i}123456789abcdef`);
    const names = Array.from({ length: 12 }, (_, i) => `job${i}`);
    const all = await Promise.all(ids.map(async (queueId) => ({ queueId, ...(await place.connect({ queueId })) })));
    for (const { link, queueId } of all) {
      link.start(names.map((name) => start(name, `echo ${queueId}`, { attempt: `x${queueId}${name}.1` })));
    }
    for (const name of names) for (const one of all) await one.event("ended", name);
    for (const one of all) {
      for (const name of names) {
        const ref = { job: jobName(name), attempt: `x${one.queueId}${name}.1` };
        const out = await one.link.read(ref, `${name}.out`, { maxBytes: 99 });
        assert.equal(new TextDecoder().decode(out ?? undefined), `${one.queueId}\n`);
      }
    }
  });
}
