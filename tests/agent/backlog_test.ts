import assert from "node:assert/strict";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, isAlive, SHELLS, start, withPlace } from "./support.ts";

/** A job that runs until a file called `go` stands in its directory. */
function gated(job: string, backlog: number): ReturnType<typeof start> {
  return start(job, "until [ -e go ]; do sleep 0.05; done", { backlog });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

for (const shell of SHELLS) {
  const agentTest = (name: string, body: Parameters<typeof withPlace>[1]) =>
    Deno.test(`agent in ${shell} ${name}`, () => withPlace(shell, body));

  agentTest(
    "lets as many jobs of a backlog run as it has slots, and the next in when one gives its slot back",
    async (place) => {
      const { link, events, event } = await place.connect();
      link.backlog(5, { type: "open", slots: [0, 1] });
      link.start(["a", "b", "c", "d"].map((job) => gated(job, 5)));
      await event("started", "a");
      await event("started", "b");
      // An answer says that the agent has gone on; of who waits there is nothing yet but a ticket.
      assert.deepEqual((await link.ask([attempt("c"), attempt("d")])).map(({ type }) => type), ["none", "none"]);
      assert.equal(events.filter(({ type }) => type === "started").length, 2);
      assert.equal(await exists(`${place.directory}/c/c.run`), false);
      await Deno.writeTextFile(`${place.directory}/a/go`, "");
      assert.equal((await event("ended", "a")).gaveBack, true);
      await event("started", "c");
      assert.equal(events.some((one) => one.type === "started" && one.job === "d"), false);
      link.backlog(5, { type: "more", slots: [2] });
      assert.deepEqual(
        await Promise.all(["a", "b", "c", "d"].map(async (job) => (await event("started", job)).slot)),
        [0, 1, 0, 2],
      );
      const [alive] = await link.ask([attempt("d")]);
      assert.equal(alive?.type === "alive" ? alive.slot : null, 2);
      for (const job of ["b", "c", "d"]) await Deno.writeTextFile(`${place.directory}/${job}/go`, "");
      for (const job of ["b", "c", "d"]) assert.equal((await event("ended", job)).gaveBack, true);
    },
  );

  agentTest("never starts what was recalled from a backlog, and passes its turn on", async (place) => {
    const { link, event, events } = await place.connect();
    link.backlog(6, { type: "open", slots: [0] });
    link.start(["a", "b", "c"].map((job) => gated(job, 6)));
    await event("started", "a");
    assert.deepEqual((await link.forbid([attempt("b")])).map(({ type }) => type), ["forbidden"]);
    await Deno.writeTextFile(`${place.directory}/a/go`, "");
    await event("started", "c");
    assert.equal(events.some((one) => one.type === "started" && one.job === "b"), false);
    // A new attempt of what was called back is no rerun: nobody has to be warned.
    await Deno.writeTextFile(`${place.directory}/c/go`, "");
    await event("ended", "c");
    link.start([start("b", "true", { number: 2 })]);
    await event("ended", "b");
    assert.equal(events.some(({ type }) => type === "reused"), false);
  });

  agentTest(
    "lets nobody in when a backlog is over, and reports a failed start whose slot is free again",
    async (place) => {
      const { link, event } = await place.connect();
      link.backlog(7, { type: "open", slots: [0] });
      link.start([start("none", "true", { backlog: 7, shell: "no-such-shell" })]);
      assert.equal((await event("refused", "none")).gaveBack, true);
      link.start([gated("a", 7), gated("b", 7)]);
      await event("started", "a");
      link.backlog(7, { type: "over" });
      // Requests are carried out in order: now it is over.
      await link.ask([attempt("a")]);
      await Deno.writeTextFile(`${place.directory}/a/go`, "");
      await event("ended", "a");
      // A new backlog of the same number owes nothing to those of the old one.
      link.backlog(7, { type: "open", slots: [0] });
      link.start([gated("c", 7)]);
      await event("started", "c");
      assert.deepEqual((await link.ask([attempt("b")])).map(({ type }) => type), ["none"]);
      await Deno.writeTextFile(`${place.directory}/c/go`, "");
      await event("ended", "c");
    },
  );

  agentTest("ends with its backlogs: what waits never starts, what runs goes on", async (place) => {
    const first = await place.connect();
    first.link.backlog(5, { type: "open", slots: [0] });
    first.link.start([gated("a", 5), gated("b", 5)]);
    const { pid } = await first.event("started", "a");
    await first.link.close();
    const second = await place.connect();
    assert.equal((await second.link.ask([attempt("a")]))[0]?.type, "alive");
    await Deno.writeTextFile(`${place.directory}/a/go`, "");
    await waitUntil("the end of a", async () => !await isAlive(pid));
    await second.event("ended", "a");
    assert.deepEqual((await second.link.forbid([attempt("b")])).map(({ type }) => type), ["forbidden"]);
  });

  agentTest("keeps what waits from starting after its agent was killed, once a new one forbids it", async (place) => {
    const first = await place.connect();
    first.link.backlog(5, { type: "open", slots: [0] });
    first.link.start([gated("a", 5), gated("b", 5)]);
    await first.event("started", "a");
    place.children[0]!.kill("SIGKILL");
    await first.event("down");
    const second = await place.connect();
    assert.deepEqual((await second.link.forbid([attempt("b")])).map(({ type }) => type), ["forbidden"]);
    await Deno.writeTextFile(`${place.directory}/a/go`, "");
    await second.event("ended", "a");
    assert.deepEqual((await second.link.ask([attempt("b")])).map(({ type }) => type), ["forbidden"]);
    assert.equal(await exists(`${place.directory}/b/b.log`), false);
  });

  agentTest("starts nothing that was forbidden while it waited, also when the claim of that is gone", async (place) => {
    const { link, event } = await place.connect();
    link.backlog(5, { type: "open", slots: [0] });
    link.start([gated("a", 5), gated("b", 5), start("c", "true", { backlog: 5 })]);
    await event("started", "a");
    assert.deepEqual((await link.forbid([attempt("b")])).map(({ type }) => type), ["forbidden"]);
    assert.deepEqual(await link.remove([attempt("b")]), ["removed"]);
    await Deno.writeTextFile(`${place.directory}/a/go`, "");
    await event("ended", "c");
    assert.equal((await event("known", "b")).state.type, "forbidden");
    assert.equal(await exists(`${place.directory}/b`), false);
  });

  agentTest(
    "goes on to the next job of a backlog in the same wrapper, and leaves the one before it behind",
    async (place) => {
      const { link, event } = await place.connect();
      link.backlog(5, { type: "open", slots: [0] });
      link.start([
        start("a", "echo ${CUDA_VISIBLE_DEVICES-none}", { backlog: 5, gpu: "3" }),
        start("b", "echo ${CUDA_VISIBLE_DEVICES-none}; until [ -e go ]; do sleep 0.05; done; exit 4", { backlog: 5 }),
        start("c", "kill -9 $$", { backlog: 5, shell: "dash" }),
        start("d", "echo last", { backlog: 5, output: "../d's 'file" }),
      ]);
      await event("ended", "a");
      await event("started", "b");
      const wrapper = async (job: string) => (await place.file(job, ".run")).split(" ")[2];
      assert.equal(await wrapper("a"), await wrapper("b"));
      // Its wrapper lives, but no longer for it.
      const [state] = await link.ask([attempt("a")]);
      assert.ok(state?.type === "ended" && state.exitCode === 0, JSON.stringify(state));
      assert.equal((await link.kill([attempt("a")], { graceMs: 60_000 }))[0]?.type, "ended");
      assert.equal((await place.file("a", ".out")).trim(), "3");
      assert.deepEqual(await link.remove([attempt("a")]), ["removed"]);
      assert.equal((await link.ask([attempt("b")]))[0]?.type, "alive");
      await Deno.writeTextFile(`${place.directory}/b/go`, "");
      assert.equal((await event("ended", "b")).exitCode, 4);
      assert.equal((await place.file("b", ".out")).trim(), Deno.env.get("CUDA_VISIBLE_DEVICES") ?? "none");
      assert.equal((await event("ended", "c")).state, "crash");
      await event("ended", "d");
      assert.equal(await place.text(`${place.directory}/d's 'file`), "last\n");
    },
  );

  agentTest("takes tickets of any size, each over the one before it of its number", async (place) => {
    const { link, event } = await place.connect();
    link.backlog(6, { type: "open", slots: [0] });
    const sizes = Array.from({ length: 140 }, (_, i) => i % 3 === 0 ? 9000 : i % 3 === 1 ? 3 : 400);
    for (const [i, size] of sizes.entries()) {
      link.start([start(`j${i}`, `cat <<'X'\n${"'\"$x\\ ".repeat(size / 2)}\nX\nexit ${i % 100}`, { backlog: 6 })]);
      // No more than there is room for.
      if (i >= 60) await event("ended", `j${i - 60}`);
    }
    for (const i of sizes.keys()) assert.equal((await event("ended", `j${i}`)).exitCode, i % 100);
  });
}
