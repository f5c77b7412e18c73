import assert from "node:assert/strict";
import type { AttemptState } from "../../src/agent/attempt.ts";
import { agentProgram, BEGIN } from "../../src/agent/protocol.ts";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, endOf, isAlive, QUEUE_ID, run, SHELLS, start, withPlace } from "./support.ts";

const DATE = String.raw`# date: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;

/** The pid that a job wrote into its output. */
async function pidFrom(path: string): Promise<number> {
  return Number(await waitUntil(`a pid in ${path}`, async () => (await Deno.readTextFile(path)).trim()));
}

for (const shell of SHELLS) {
  const agentTest = (name: string, body: Parameters<typeof withPlace>[1]) =>
    Deno.test(`agent in ${shell} ${name}`, () => withPlace(shell, body));

  agentTest("tells start, end and exit code, and writes the job's files", async (place) => {
    const { link, events, event } = await place.connect();
    link.start([
      start("job1", "echo out; echo err >&2; echo $CUDA_VISIBLE_DEVICES $CLOUDMESH_JOB; exit 3", { gpu: "0,1" }),
    ]);
    const ended = await event("ended");
    const started = await event("started");
    assert.deepEqual([ended.state, ended.exitCode, ended.attempt], ["end", 3, attempt("job1").attempt]);
    assert.equal(await place.file("job1", ".out"), `out\n0,1 ${attempt("job1").attempt}\n`);
    assert.equal(await place.file("job1", "-nohup.log"), "err\n");
    assert.equal(await place.file("job1", ".pid"), `${started.pid}\n`);
    assert.match(await place.file("job1", ".sh"), /^#!\/usr\/bin\/env sh\necho out;/);
    assert.match(
      await place.file("job1", ".log"),
      new RegExp(
        `^# cloudmesh state: start\n${DATE}\n# attempt: ${ended.attempt}\n${DATE}\n# exit: 3\n# cloudmesh state: end\n$`,
      ),
    );
    const state = await endOf(link, attempt("job1"));
    assert.equal(state?.type, "ended");
    assert.ok(state.type === "ended" && state.exitCode === 3 && state.startedAtMs === started.atMs);
    assert.ok(Math.abs(started.atMs - Date.now()) < 60_000);
    assert.deepEqual(events.map(({ type }) => type), ["started", "ended"]);
  });

  agentTest("carries any text through unchanged", async (place) => {
    const { link, event } = await place.connect();
    const nasty = "'\"\\ $HOME `id` $(id) !! %s \\n \t*?[a] ~ # ; & | é 日本 🎉 \u0001\u007f\r end\\";
    const name = "a".repeat(150) + "._+-$".replace("$", "Z");
    link.start([
      start("hostile", `cat <<'X'\n${nasty}\nX\nprintf last`, { output: "sub dir/o'ut $x.txt" }),
      start(name, "true"),
      start("noscript", "", { script: "" }),
    ]);
    await event("ended", "hostile");
    await event("ended", name);
    await event("ended", "noscript");
    assert.equal(await place.text(`${place.directory}/hostile/sub dir/o'ut $x.txt`), nasty + "\nlast");
  });

  agentTest("gives up a claim that stays empty, and starts the next attempt", async (place) => {
    const { link, event } = await place.connect();
    link.prepare([attempt("job1").job]);
    await link.ask([attempt("job1")]);
    // What a wrapper leaves that is ended between making its claim and writing it.
    await Deno.writeTextFile(`${place.directory}/job1/job1.run`, "");
    assert.deepEqual(await link.forbid([attempt("job1")]), [{ type: "forbidden" }]);
    link.start([start("job1", "true", { number: 2 })]);
    assert.equal((await event("ended", "job1")).attempt, attempt("job1", 2).attempt);
  });

  agentTest("starts nothing whose claim was given up before it was written", async (place) => {
    const { link, event } = await place.connect();
    link.prepare([attempt("job1").job]);
    await link.ask([attempt("job1")]);
    await Deno.writeTextFile(`${place.directory}/job1/job1.run.no`, "");
    link.start([start("job1", "echo ran")]);
    assert.match((await event("refused", "job1")).reason, /took too long/);
    assert.deepEqual((await link.ask([attempt("job1")]))[0]?.type, "forbidden");
    await assert.rejects(place.file("job1", ".out"), Deno.errors.NotFound);
  });

  agentTest("takes a command of 1 MB", async (place) => {
    const { link, event } = await place.connect();
    const big = "é".repeat(500_000) + "'";
    link.start([start("big", `cat <<'X' | wc -c\n${big}\nX`)]);
    assert.equal((await event("ended")).exitCode, 0);
    assert.equal((await place.file("big", ".out")).trim(), String(new TextEncoder().encode(big).length + 1));
  });

  agentTest("is not held up or fed upon by what jobs do with their descriptors", async (place) => {
    const { link, event } = await place.connect();
    link.start([
      start("reads", "cat; echo read"),
      start("closes", "exec <&- >&- 2>&-; exit 4"),
      start("leaves", "sleep 300 & echo $!"),
      start("forks", "(setsid sleep 300 & echo $!)"),
    ]);
    for (const job of ["reads", "closes", "leaves", "forks"]) await event("ended", job);
    assert.equal(await place.file("reads", ".out"), "read\n");
    assert.equal((await event("ended", "closes")).exitCode, 4);
    link.start([start("runs", "sleep 300")]);
    await event("started", "runs");
    const wrapper = (await place.file("runs", ".run")).split(" ")[2];
    const fds = (pid: string) => run("sh", "-c", `for f in /proc/${pid}/fd/*; do readlink $f; done`);
    // What every process here inherits is none of ours.
    const inherited = (await fds("self")).split("\n");
    const held = (await fds(wrapper ?? "")).split("\n");
    assert.deepEqual(held.filter((name) => name !== "/dev/null" && !inherited.includes(name)), []);
    await link.kill([attempt("runs")], { graceMs: 1000 });
    // What a job left behind lives on, and holds nothing of the link.
    const left = await Promise.all(["leaves", "forks"].map((job) => pidFrom(`${place.directory}/${job}/${job}.out`)));
    await link.close();
    for (const pid of left) {
      assert.ok(await isAlive(pid));
      Deno.kill(pid, "SIGKILL");
    }
  });

  agentTest("tells a crash from an end and from a kill", async (place) => {
    const { link, event } = await place.connect();
    link.start([
      start("crashes", "kill -9 $$"),
      start("ends", "(exit 137)"),
      start("fails", "exit 255"),
      start("stays", "sleep 300"),
    ]);
    await event("started", "stays");
    const [state] = await link.kill([attempt("stays")], { graceMs: 5000 });
    assert.ok(state?.type === "ended" && state.state === "kill" && state.exitCode === 143);
    const ends = await Promise.all(["crashes", "ends", "fails", "stays"].map((job) => event("ended", job)));
    assert.deepEqual(
      ends.map(({ state, exitCode }) => [state, exitCode]),
      [["crash", 137], ["end", 137], ["end", 255], ["kill", 143]],
    );
    assert.match(await place.file("crashes", ".log"), /# cloudmesh state: crash\n$/);
    assert.match(await place.file("stays", ".log"), /# cloudmesh state: kill\n$/);
    assert.deepEqual(await link.ask([attempt("crashes")]), [{ type: "crashed", exitCode: 137 }]);
  });

  agentTest("kills all that belongs to a job, and nothing else", async (place) => {
    const { link, event } = await place.connect();
    const children = [
      "sleep 300 & echo $!",
      "(trap '' TERM; sleep 300 & echo $!; exec sleep 301) &",
      "setsid sleep 300 & echo $!",
      "(setsid sh -c 'sleep 300 & echo $!' &)",
      "echo $$",
    ];
    // Attempt 10's mark begins with attempt 1's.
    const other = start("job1x", "sleep 300", { attempt: attempt("job1").attempt + "0" });
    link.start([start("job1", `trap '' TERM\n${children.join("\n")}\nwait; sleep 300`), other]);
    const out = `${place.directory}/job1/job1.out`;
    await waitUntil("five pids", async () => (await Deno.readTextFile(out)).trim().split("\n").length === 5);
    await event("started", "job1x");
    const pids = (await Deno.readTextFile(out)).trim().split("\n").map(Number);
    const [state] = await link.kill([attempt("job1")], { graceMs: 200 });
    assert.ok(state?.type === "ended" && state.state === "kill", JSON.stringify(state));
    for (const pid of pids) assert.equal(await isAlive(pid), false, `${pid} of ${pids} lives`);
    assert.equal((await link.ask([{ job: other.job, attempt: other.attempt }]))[0]?.type, "alive");
    await link.kill([{ job: other.job, attempt: other.attempt }], { graceMs: 1000 });
  });

  agentTest("starts an attempt once, however many agents are asked", async (place) => {
    const queues = ["a1", "a2", "a3", "a4"];
    const all = await Promise.all(queues.map((queueId) => place.connect({ queueId })));
    const jobs = Array.from({ length: 25 }, (_, i) => `job${i}`);
    const starts = jobs.map((job) => start(job, `echo run >> ../count-${job}`));
    for (const { link } of all) link.start([...starts, ...starts]);
    await waitUntil(
      () => JSON.stringify(all.map(({ events }) => events.length)),
      () => all.every(({ events }) => events.filter(({ type }) => type === "started" || type === "known").length >= 50),
    );
    await waitUntil("all ends", async () => {
      const states = await all[0]?.link.ask(jobs.map((job) => attempt(job)));
      return states?.every(({ type }) => type === "ended");
    });
    for (const job of jobs) assert.equal(await place.text(`${place.directory}/count-${job}`), "run\n");
    // An attempt that takes over a dead one is started once as well, and an earlier one never again.
    const second = jobs.map((job) => start(job, `echo again >> ../count-${job}`, { number: 2 }));
    for (const { link } of all) link.start([...second, ...starts, ...second]);
    await waitUntil("all ends of the second attempts", async () => {
      const states = await all[1]?.link.ask(jobs.map((job) => attempt(job, 2)));
      return states?.every(({ type }) => type === "ended");
    });
    const [first] = await all[2]?.link.ask([attempt("job0")]) ?? [];
    assert.deepEqual(first, { type: "other", attempt: attempt("job0", 2).attempt, alive: false });
    for (const job of jobs) assert.equal(await place.text(`${place.directory}/count-${job}`), "run\nagain\n");
    assert.ok(all.some(({ events }) => events.some(({ type }) => type === "reused")));
  });

  agentTest("refuses a start that cannot work, for ever", async (place) => {
    const { link, event, events } = await place.connect();
    await Deno.writeTextFile(`${place.directory}/file`, "");
    link.start([
      start("noshell", "true", { shell: "no-such-shell" }),
      start("file", "true"),
      start("badlog", "true", { log: "/proc/no/log" }),
      start("break", "true", { output: "a\nb" }),
      start("nul", "true", { script: "a\0b" }),
    ]);
    assert.match((await event("refused", "noshell")).reason, /no shell "no-such-shell"/);
    assert.match((await event("refused", "file")).reason, /cannot use the directory .*experiment\/file/);
    assert.match((await event("refused", "badlog")).reason, /cannot write \/proc\/no\/log: \S/);
    assert.match((await event("refused", "break")).reason, /line break/);
    assert.match((await event("refused", "nul")).reason, /NUL/);
    const states = await link.ask([attempt("noshell"), attempt("badlog")]);
    assert.deepEqual(states, [
      { type: "forbidden", reason: (await event("refused", "noshell")).reason },
      { type: "forbidden", reason: (await event("refused", "badlog")).reason },
    ]);
    // Asked again, it is refused again, with the same reason.
    events.length = 0;
    link.start([start("badlog", "echo ran", { log: "badlog.log" })]);
    assert.match((await event("refused", "badlog")).reason, /cannot write \/proc\/no\/log/);
  });

  agentTest("never starts what was forbidden, and forbids nothing that was started", async (place) => {
    const { link, event, events } = await place.connect();
    link.start([start("old", "true")]);
    await event("ended", "old");
    const states = await link.forbid([attempt("job1"), attempt("old"), attempt("old", 2)]);
    assert.deepEqual(states.map(({ type }) => type), ["forbidden", "ended", "forbidden"]);
    link.start([start("job1", "true"), start("old", "true", { number: 2 }), start("job1", "true", { number: 2 })]);
    await event("ended", "job1");
    assert.equal((await event("known", "job1")).state.type, "forbidden");
    assert.equal((await event("known", "old")).state.type, "forbidden");
    assert.deepEqual(events.flatMap((e) => e.type === "started" ? [e.attempt] : []), [
      attempt("old").attempt,
      attempt("job1", 2).attempt,
    ]);
    assert.deepEqual(await link.ask([attempt("never")]), [{ type: "none" }]);
  });

  agentTest("keeps a later attempt out while one runs", async (place) => {
    const { link, event } = await place.connect();
    link.start([start("job1", "sleep 300")]);
    await event("started", "job1");
    link.start([start("job1", "true", { number: 2 })]);
    assert.match((await event("refused", "job1")).reason, /another attempt of the job runs there/);
    assert.deepEqual(await link.ask([attempt("job1", 3)]), [{
      type: "other",
      attempt: attempt("job1").attempt,
      alive: true,
    }]);
    assert.deepEqual(await link.remove([attempt("job1")]), ["alive"]);
    await link.kill([attempt("job1")], { graceMs: 1000 });
  });

  agentTest("finds a job that vanished with its wrapper, and follows one that lost it", async (place) => {
    const { link, event } = await place.connect({ times: { lookMs: 300 } });
    link.start(["gone", "orphan", "victim"].map((job) => start(job, "exec sleep 300")));
    const pids = new Map<string, number>();
    for (const job of ["gone", "orphan", "victim"]) {
      pids.set(job, (await event("started", job)).pid);
      const wrapper = Number((await place.file(job, ".run")).split(" ")[2]);
      Deno.kill(wrapper, "SIGKILL");
    }
    Deno.kill(pids.get("gone") ?? 0, "SIGKILL");
    const gone = await event("ended", "gone");
    assert.deepEqual([gone.state, gone.exitCode], ["crash", null]);
    assert.match(await place.file("gone", ".log"), /# cloudmesh state: crash\n$/);
    const [state] = await link.ask([attempt("orphan")]);
    assert.ok(state?.type === "alive" && state.orphan && state.pid === pids.get("orphan"));
    Deno.kill(pids.get("orphan") ?? 0, "SIGKILL");
    assert.equal((await event("ended", "orphan")).state, "crash");
    const [killed] = await link.kill([attempt("victim")], { graceMs: 1000 });
    assert.ok(killed?.type === "ended" && killed.state === "kill");
    assert.equal((await event("ended", "victim")).state, "kill");
    assert.match(await place.file("victim", ".log"), /# cloudmesh state: kill\n$/);
  });

  agentTest("takes no attempt for killed because an earlier one was", async (place) => {
    const { link, event } = await place.connect();
    link.start([start("job1", "exec sleep 300")]);
    await event("started", "job1");
    await link.kill([attempt("job1")], { graceMs: 1_000 });
    const mark = `${place.directory}/job1/job1.kill.${attempt("job1").attempt}`;
    assert.ok((await Deno.stat(mark)).isFile);
    const log = await place.file("job1", ".log");
    assert.match(log, /# cloudmesh state: kill\n$/);
    link.start([start("job1", "exec sleep 300", { number: 2 })]);
    const second = async (): Promise<AttemptState | undefined> => (await link.ask([attempt("job1", 2)]))[0];
    await waitUntil("the second attempt", async () => (await second())?.type === "alive");
    const alive = await second();
    // A power cut can bring back what was removed, and what stood in the log.
    await Deno.writeTextFile(mark, "");
    await Deno.writeTextFile(`${place.directory}/job1/job1.log`, log);
    Deno.kill(Number((await place.text(`${place.directory}/job1/job1.run.1`)).split(" ")[2]), "SIGKILL");
    Deno.kill(alive?.type === "alive" ? alive.pid : 0, "SIGKILL");
    // Not `ended` by a kill.
    await waitUntil("its end", async () => (await second())?.type !== "alive");
    assert.equal((await second())?.type, "crashed");
  });

  agentTest("runs nothing of a request that is cut off", async (place) => {
    for (
      const torn of [
        "{ cms_start 'job1' 'aa.1' 'sh' 'o' 'l' '-' 'echo A; echo",
        "{ cms_start 'j' 'aa.1' 'sh' 'o' 'l' '-' 'true'\n",
      ]
    ) {
      const [command, ...args] = shell.split(" ");
      const agent = new Deno.Command(command ?? "", { args, stdin: "piped", stdout: "piped", stderr: "null" });
      const process = agent.spawn();
      const setup = { token: "t", directory: place.directory, queueId: "ee", role: "resident" } as const;
      const writer = process.stdin.getWriter();
      await writer.write(new TextEncoder().encode(agentProgram(setup) + BEGIN + "{ cms_dirs 'job1' 'j'\n}\n" + torn));
      await writer.close();
      assert.match(new TextDecoder().decode((await process.output()).stdout), /^t hello 1 /m);
      assert.deepEqual([...Deno.readDirSync(`${place.directory}/job1`)].map(({ name }) => name), [".cms"]);
      assert.deepEqual([...Deno.readDirSync(`${place.directory}/j`)].map(({ name }) => name), [".cms"]);
    }
  });

  agentTest(
    "removes nothing that a later attempt was started in, of the job or of another of its name",
    async (place) => {
      const { link, event } = await place.connect();
      const other = { job: attempt("again").job, attempt: `${"f".repeat(32)}.1` };
      const runs = ["again", "replaced", "runs"].map((job) => start(job, "true"));
      link.start(runs);
      for (const { job } of runs) await event("ended", job);
      link.start([
        start("again", "echo > result", { number: 2 }),
        { ...start("replaced", "echo > result"), attempt: other.attempt },
        start("runs", "sleep 300", { number: 2 }),
      ]);
      await event("started", "runs");
      await waitUntil("the ends of the others", async () => {
        const states = await link.ask([attempt("again", 2), { ...other, job: attempt("replaced").job }]);
        return states.every(({ type }) => type === "ended");
      });
      assert.deepEqual(await link.remove(runs), ["later", "later", "later"]);
      for (const job of ["again", "replaced"]) assert.ok((await Deno.stat(`${place.directory}/${job}/result`)).isFile);
      assert.deepEqual(await link.remove([attempt("runs", 2), attempt("runs", 3)]), ["alive", "alive"]);
      await link.kill([attempt("runs", 2)], { graceMs: 1_000 });
      // One that has left no trace there may be removed after earlier ones of its own, and not after those of another.
      const never = [attempt("runs", 3), attempt("replaced", 2), { ...other, attempt: `${"e".repeat(32)}.9` }];
      assert.deepEqual(await link.remove(never), ["removed", "later", "later"]);
      // On the manager's own machine what a job made besides is taken for a person's.
      for (const job of ["again", "replaced"]) await Deno.remove(`${place.directory}/${job}/result`);
      const last = [attempt("again", 2), { job: attempt("replaced").job, attempt: other.attempt }];
      assert.deepEqual(await link.remove(last), ["removed", "removed"]);
    },
  );

  agentTest("removes nothing under a claim that is being made, and gives up one that stays empty", async (place) => {
    const { link, event } = await place.connect();
    link.start(["made", "empty"].map((job) => start(job, "true")));
    for (const job of ["made", "empty"]) {
      await event("ended", job);
      await Deno.writeTextFile(`${place.directory}/${job}/${job}.run.1`, "");
    }
    const removed = ["made", "empty"].map((job) => link.remove([attempt(job)]));
    // When these are answered both removals go on.
    await link.ask([attempt("made")]);
    const [, boot] = (await place.file("made", ".run")).split(" ");
    const claim = `${attempt("made", 2).attempt} ${boot} ${Deno.pid} 999999999999 q made.sh .\nlog\nout\n`;
    await Deno.writeTextFile(`${place.directory}/made/made.run.1`, claim);
    assert.deepEqual((await Promise.all(removed)).flat(), ["later", "removed"]);
    // A start finds the directory as it goes, or makes it anew.
    link.start([start("empty", "echo > again", { number: 2 })]);
    await waitUntil("its end", async () => (await link.ask([attempt("empty", 2)]))[0]?.type === "ended");
    assert.ok((await Deno.stat(`${place.directory}/empty/again`)).isFile);
  });

  agentTest(
    "starts a job while the directory of its earlier attempt is removed, and keeps what it wrote",
    async (place) => {
      const { link, event } = await place.connect();
      const jobs = Array.from({ length: 10 }, (_, i) => `job${i}`);
      // Files that take a while to go.
      link.start(jobs.map((job) => start(job, "i=0; while [ $i -lt 200 ]; do : >f$i; i=$((i + 1)); done")));
      for (const job of jobs) await event("ended", job);
      const visitor = await place.connect({ role: "visitor" });
      for (let number = 2; number < 6; number++) {
        const removed = visitor.link.remove(jobs.map((job) => attempt(job, number - 1)));
        link.start(jobs.map((job) => start(job, `echo ${number} >result`, { number })));
        for (const result of await removed) assert.match(result, /^(removed|later|alive)$/);
        const states = async () => await link.ask(jobs.map((job) => attempt(job, number)));
        await waitUntil("all ends", async () => (await states()).every(({ type }) => type === "ended"), {
          limitMs: 30_000,
        });
        for (const job of jobs) assert.equal(await place.text(`${place.directory}/${job}/result`), `${number}\n`);
      }
    },
  );

  agentTest(
    "starts nothing that was forbidden before its wrapper had its turn, also when the claim of that is gone",
    async (place) => {
      const { link, event } = await place.connect();
      assert.deepEqual((await link.ask([attempt("job1")])).map(({ type }) => type), ["none"]);
      link.prepare([attempt("job1").job]);
      assert.deepEqual((await link.forbid([attempt("job1")])).map(({ type }) => type), ["forbidden"]);
      assert.deepEqual(await link.remove([attempt("job1")]), ["removed"]);
      link.start([start("job1", "echo ran >../ran")]);
      assert.equal((await event("known", "job1")).state.type, "forbidden");
      // Also after another hello.
      const other = await place.connect({ role: "visitor" });
      assert.match((await other.link.remove([attempt("job1")])).join(), /^(removed|absent)$/);
      link.start([start("job1", "echo ran >../ran", { number: 2 })]);
      assert.equal((await event("ended")).attempt, attempt("job1", 2).attempt);
    },
  );

  agentTest("leaves a directory to whoever is removing it, and what stands there then alone", async (place) => {
    const [one, two] = [await place.connect(), await place.connect({ role: "visitor" })];
    const other = { job: attempt("job1").job, attempt: `${"f".repeat(32)}.1` };
    one.link.start([start("job1", "i=0; while [ $i -lt 3000 ]; do : >job1.kill.$i; i=$((i + 1)); done")]);
    await one.event("ended", "job1");
    // Both find the directory; the first moves it away under the feet of the second.
    const removed = [one.link.remove([attempt("job1")]), two.link.remove([attempt("job1")])];
    const found = (await Promise.all(removed)).flat();
    assert.ok(found.includes("removed"), found.join());
    one.link.start([{ ...start("job1", "echo > result; exec sleep 300"), attempt: other.attempt }]);
    await waitUntil("the other job", async () => (await one.link.ask([other]))[0]?.type === "alive");
    assert.deepEqual(await two.link.remove([attempt("job1")]), ["alive"]);
    assert.ok((await Deno.stat(`${place.directory}/job1/result`)).isFile);
    await one.link.kill([other], { graceMs: 1_000 });
  });

  agentTest("leaves the rest alone when whoever asked for a removal is gone", async (place) => {
    const { link, event } = await place.connect();
    const jobs = Array.from({ length: 40 }, (_, i) => `job${i}`);
    link.start(jobs.map((job) => start(job, "true")));
    for (const job of jobs) await event("ended", job);
    const left = async (): Promise<number> =>
      (await Array.fromAsync(Deno.readDir(place.directory))).filter(({ name }) => name.startsWith("job")).length;
    // The second is slow to go: its claim is being made for a second.
    await Deno.writeTextFile(`${place.directory}/job1/job1.run.1`, "");
    const removed = link.remove(jobs.map((job) => attempt(job)));
    await waitUntil("the first removal", async () => await left() === jobs.length - 1);
    await link.close();
    await assert.rejects(removed);
    const own = `${place.directory}/.cms/${QUEUE_ID}`;
    const [host] = await Array.fromAsync(Deno.readDir(own));
    await waitUntil("the end of the removals", async () => / Z /.test(await place.text(`${own}/${host!.name}/events`)));
    // The first was on its way out; the second only if the agent was still there then.
    assert.ok(await left() >= jobs.length - 2, `${await left()} are left`);
  });

  agentTest("removes what it made, and only its own files elsewhere", async (place) => {
    await Deno.mkdir(`${place.directory}/theirs`, { recursive: true });
    await Deno.writeTextFile(`${place.directory}/theirs/input`, "data");
    const { link, event } = await place.connect();
    link.start([start("ours", "true"), start("theirs", "echo > made", { output: "x.txt" })]);
    await event("ended", "ours");
    await event("ended", "theirs");
    const jobs = ["ours", "theirs", "none"].map((job) => attempt(job));
    assert.deepEqual(await link.remove(jobs), ["removed", "kept", "absent"]);
    assert.deepEqual([...Deno.readDirSync(`${place.directory}/theirs`)].map(({ name }) => name).sort(), [
      "input",
      "made",
    ]);
    assert.equal(await run("ls", place.directory), "theirs");
  });

  agentTest("reads files of a job from their end", async (place) => {
    const { link, event } = await place.connect();
    link.start([start("job1", "printf '\\000\\377abc'; seq 100000 > big")]);
    await event("ended", "job1");
    const read = (file: string, maxBytes: number) => link.read(attempt("job1"), file, { maxBytes });
    assert.deepEqual(await read("job1.out", 1000), new Uint8Array([0, 255, 97, 98, 99]));
    assert.deepEqual(await read("job1.out", 2), new Uint8Array([98, 99]));
    const big = await Deno.readFile(`${place.directory}/job1/big`);
    // Large parts come in long lines.
    for (const size of [65_536, 65_537, 70_000, 70_001, 1 << 20]) {
      assert.deepEqual(await read("big", size), big.subarray(-size), `${size}`);
    }
    const part = await link.read(attempt("job1"), "big", { maxBytes: 100_001, from: 7 });
    assert.deepEqual(part, big.subarray(7, 100_008));
    assert.equal(await read("none", 10), null);
    assert.equal(await read("../job1", 10), null);
    await Deno.writeTextFile(`${place.home}/h`, "home");
    assert.equal(new TextDecoder().decode(await read("~/h", 10) ?? undefined), "home");
  });

  agentTest("changes nothing of the user's environment", async (place) => {
    const { link, event } = await place.connect();
    link.start([start("job1", "env | grep -v '^_=' | cut -d= -f1 | sort")]);
    await event("ended", "job1");
    const [command, ...args] = shell.split(" ");
    const plain = await run(command ?? "", ...args, "-c", "sh -c \"env | grep -v '^_=' | cut -d= -f1 | sort\"");
    const expected = [...plain.split("\n"), "CLOUDMESH_JOB", "CLOUDMESH_MARK", "CMS_ATTEMPT", "CMS_JOB"].sort();
    assert.deepEqual(
      (await place.file("job1", ".out")).trim().split("\n").filter((n) => n !== "OLDPWD").sort(),
      expected.filter((n) => n !== "OLDPWD"),
    );
  });
}
