/**
 * What a job is and how it ends, as its agent starts it and tells its end: as ssh would start it, and as it ended.
 */

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { AttemptId } from "../../src/job/attempt.ts";
import { jobName } from "../../src/names/grammar.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, isAlive, type Place, QUEUE_ID, run, SHELLS, start, withPlace } from "./support.ts";

/** Commands of a POSIX shell, and the end of each: state and exit code. */
const ENDS: Record<string, readonly [command: string, state: string, code: number]> = {
  aborts: ["cd /tmp; sh -c 'kill -ABRT $$'", "end", 134],
  exits134: ["exit 134", "end", 134],
  exits129: ["exit 129", "end", 129],
  exits192: ["exit 192", "end", 192],
  exits193: ["exit 193", "end", 193],
  exits255: ["exit 255", "end", 255],
  strict: ["set -e; sh -c 'kill -9 $$'; echo never", "end", 137],
  execs: ["exec sh -c 'exit 130'", "end", 130],
  interrupted: ["kill -INT $$", "crash", 130],
  quits: ["kill -QUIT $$", "crash", 131],
  killed: ["kill -9 $$", "crash", 137],
  piped: ["kill -PIPE $$", "crash", 141],
  terminated: ["kill -TERM $$", "crash", 143],
  hangs_up: ["kill -HUP $$", "crash", 129],
  realtime: ["exec sh -c 'kill -40 $$'", "crash", 168],
  traps: ["trap 'exit 143' TERM; kill -TERM $$", "end", 143],
  at_exit: ["trap 'echo at exit' EXIT; exit 135", "end", 135],
  fields: ["IFS=0123456789; (exit 5)", "end", 5],
  fields_high: ["IFS=0123456789; (exit 131)", "end", 131],
  heredoc: ["cat <<X\nno end", "end", 0],
  backslash: ["echo a \\", "end", 0],
  builtins: ["printf() { echo ours; }; cms_rc=7; alias exit=true; (exit 3)", "end", 3],
  gone: ['rm -rf "$PWD"; exit 140', "end", 140],
  elsewhere: ["cd /; umask 777; exit 141", "end", 141],
};

for (const shell of SHELLS) {
  const agentTest = (name: string, body: (place: Place) => Promise<void>) =>
    Deno.test(`agent in ${shell} ${name}`, () => withPlace(shell, body));

  agentTest("tells of each end whether a signal made it, and the job's own code", async (place) => {
    const { link, event } = await place.connect();
    link.start(Object.entries(ENDS).map(([name, [command]]) => start(name, command)));
    for (const [name, [, state, code]] of Object.entries(ENDS)) {
      const ended = await event("ended", name);
      assert.deepEqual([name, ended.state, ended.exitCode], [name, state, code]);
    }
    assert.equal(await place.file("heredoc", ".out"), "no end\n");
    assert.equal(await place.file("backslash", ".out"), "a\n");
    assert.equal(await place.file("at_exit", ".out"), "at exit\n");
  });

  agentTest(
    "leaves the files of an earlier try under its number, once, and removes them with the job's",
    async (place) => {
      const { link, event, events } = await place.connect();
      link.start([start("x", "echo one; echo bad >&2")]);
      await event("ended", "x");
      events.length = 0;
      for (const [number, keep] of [[2, 1], [3, 1]] as const) {
        link.start([start("x", `echo ${number}`, { number, keep })]);
        await event("ended", "x");
        events.length = 0;
      }
      assert.equal(await place.file("x", ".out"), "3\n");
      assert.equal(await place.file("x", ".out.1"), "one\n");
      assert.equal(await place.file("x", "-nohup.log.1"), "bad\n");
      assert.match(await place.file("x", ".log.1"), /# cloudmesh state: end\n$/);
      // As where the manager shares the directory: only what is a person's stays.
      await link.share(place.directory);
      await Deno.writeTextFile(`${place.directory}/x/own`, "");
      assert.deepEqual(await link.remove([attempt("x", 3)]), ["kept"]);
      assert.deepEqual(Array.from(Deno.readDirSync(`${place.directory}/x`), ({ name }) => name), ["own"]);
    },
  );

  agentTest("tells the same of jobs of a backlog, whose wrapper goes on to others", async (place) => {
    const { link, event } = await place.connect();
    link.backlog(5, { type: "open", slots: [0] });
    link.start(Object.entries(ENDS).map(([name, [command]]) => start(name, command, { backlog: 5 })));
    for (const [name, [, state, code]] of Object.entries(ENDS)) {
      const ended = await event("ended", name);
      assert.deepEqual([name, ended.state, ended.exitCode], [name, state, code]);
    }
  });

  agentTest("touches no file where the job stands at its end", async (place) => {
    const { link, event } = await place.connect();
    const project = `${place.home}/proj`;
    await Deno.mkdir(project);
    await Deno.writeTextFile(`${project}/train.ended`, "a person's");
    link.start([start("train", `cd ${project}; sh -c 'kill -ABRT $$'`)]);
    assert.equal((await event("ended")).exitCode, 134);
    assert.equal(await place.text(`${project}/train.ended`), "a person's");
    assert.deepEqual([...Deno.readDirSync(project)].map(({ name }) => name), ["train.ended"]);
  });

  agentTest("keeps all that a job writes into its output, whoever opens that", async (place) => {
    const { link, event } = await place.connect();
    const lines = "echo 1; sh -c 'echo 2; echo 3 >>/dev/stdout; echo 4'; echo 5 >>job1.out; echo 6";
    const errors = "echo a >&2; echo b >>/dev/stderr; echo c >>job1-nohup.log; echo d >&2";
    link.start([start("job1", `${lines}; ${errors}`)]);
    await event("ended");
    assert.equal(await place.file("job1", ".out"), "1\n2\n3\n4\n5\n6\n");
    assert.equal(await place.file("job1", "-nohup.log"), "a\nb\nc\nd\n");
    // The next attempt begins with empty files.
    link.start([start("job1", "echo again", { number: 2 })]);
    await waitUntil("its end", async () => (await link.ask([attempt("job1", 2)]))[0]?.type === "ended");
    assert.equal(await place.file("job1", ".out"), "again\n");
    assert.equal(await place.file("job1", "-nohup.log"), "");
  });

  agentTest("keeps all that a job writes whose command opens its output anew", async (place) => {
    const { link, event } = await place.connect();
    const errors = "echo a >&2; echo b >/dev/stderr; echo c >&2; sh -c 'echo d | tee /dev/stderr; echo e >&2'";
    const lines =
      "echo 1; echo 2 >/dev/stdout; ls /proc/self/fd; head -c 300000 /dev/zero | tr '\\0' x >/proc/self/fd/1";
    const command = `${errors}; ${lines}; kill -KILL $$`;
    link.backlog(5, { type: "open", slots: [0] });
    for (const [job, backlog] of [["job1", null], ["job2", 5], ["job3", 5]] as const) {
      // What the first leaves running holds its pipes.
      link.start([start(job, job === "job1" ? `sleep 300 & ${command}` : command, { backlog })]);
      const { state, exitCode } = await event("ended", job);
      assert.deepEqual([state, exitCode], ["crash", 137]);
      assert.equal(await place.file(job, ".out"), `d\n1\n2\n0\n1\n2\n3\n${"x".repeat(300_000)}`);
      assert.equal(await place.file(job, "-nohup.log"), "a\nb\nc\nd\ne\n");
    }
    // What takes from the pipe stands still: the end is told when the file has all of it.
    const list = "ls -l /proc/[0-9]*/fd/1 2>/dev/null";
    const taker = `$(${list} | sed -n 's|.* /proc/\\([0-9]*\\)/fd/1 -> ${place.directory}/slow/slow.out$|\\1|p')`;
    link.start([start("slow", `kill -STOP ${taker}; echo last >/dev/stdout`)]);
    const { pid } = await event("started", "slow");
    await waitUntil("the end of its process", async () => !await isAlive(pid));
    link.start([start("quick", "true")]);
    await event("ended", "quick");
    const [slow] = await link.ask([attempt("slow")]);
    await run("sh", "-c", `kill -CONT ${taker}`);
    assert.equal(slow?.type, "alive");
    await event("ended", "slow");
    assert.equal(await place.file("slow", ".out"), "last\n");

    assert.deepEqual(await link.remove([attempt("job1")]), ["removed"]);
    const takers = `${list} | grep -F '${place.directory}/job'`;
    await waitUntil("nobody takes from the pipes", async () => await run("sh", "-c", takers) === "");
  });

  agentTest("starts jobs with the signals, descriptors and session of a login", async (place) => {
    const { link, event } = await place.connect();
    const look = "grep -E '^Sig(Blk|Ign):' /proc/self/status; ls /proc/self/fd; cut -d' ' -f 7 /proc/self/stat; " +
      'echo "${LC_ALL-no locale}"';
    link.backlog(5, { type: "open", slots: [0] });
    const own = `${place.directory}/.cms/${QUEUE_ID}`;
    const launcher = `${own}/${[...Deno.readDirSync(own)][0]!.name}/launch`;
    if (Deno.build.arch === "x86_64") assert.ok(Deno.statSync(launcher).isFile);
    // A shell that is a script without a first line of `#!`.
    const plain = `${place.home}/plain`;
    await Deno.writeTextFile(plain, 'exec sh "$1"\n', { mode: 0o700 });
    for (const job of ["job1", "job2", "job3", "plain1", "job4", "plain2"]) {
      if (job === "job4") await Deno.remove(launcher).catch(() => {});
      const shell = job.startsWith("plain") ? { shell: plain } : {};
      link.start([start(job, look, { backlog: job === "job1" ? null : 5, ...shell })]);
      assert.equal((await event("ended", job)).exitCode, 0);
      // `ls` has a descriptor of its own for what it lists.
      const expected = `SigBlk: 0 SigIgn: 0 0 1 2 3 0 ${Deno.env.get("LC_ALL") ?? "no locale"}`;
      const found = (await place.file(job, ".out")).trim().split(/\s+/).join(" ");
      // 32 and 33 are the C library's own, which ignores them in what it starts: whoever needs them sets them.
      assert.equal(
        found.replaceAll(/([0-9a-f]{8})([0-9a-f]{8})/g, (_, high, low) => {
          return String((parseInt(high, 16) & ~1) + (parseInt(low, 16) & 0x7fffffff));
        }),
        expected,
      );
    }
  });

  agentTest("starts jobs where no launcher can be made, or is to be", async (place) => {
    const first = await place.connect();
    const own = `${place.directory}/.cms/${QUEUE_ID}`;
    const host = `${own}/${[...Deno.readDirSync(own)][0]!.name}`;
    const launcher = `${host}/launch`;
    await first.link.close();
    await Deno.remove(launcher).catch(() => {});
    for (const job of ["job1", "job2", "job3"]) {
      const isBare = job === "job3";
      if (job === "job1") await Deno.mkdir(launcher);
      else await Deno.remove(launcher, { recursive: true }).catch(() => {});
      const { link, event } = await place.connect({ isBare });
      if (Deno.build.arch === "x86_64" && job !== "job1") {
        assert.equal([...Deno.readDirSync(host)].some(({ name }) => name === "launch"), !isBare);
      }
      link.start([start(job, "cut -d' ' -f 1,6 /proc/$$/stat; kill -INT $$")]);
      assert.equal((await event("ended")).state, "crash");
      const [pid, session] = (await place.file(job, ".out")).trim().split(" ");
      assert.equal(pid, session);
      await link.close();
    }
  });

  agentTest("ends what a job has left running when its directory is removed, and names it before", async (place) => {
    const { link, event } = await place.connect();
    const polite = `sh -c 'trap "echo asked >>~/asked; kill $!; exit" TERM; sleep 300 & echo >~/ready; wait'`;
    const deaf = "setsid sh -c 'trap \"\" TERM; echo >~/deaf; exec sleep 300'";
    const ready = "until [ -e ~/ready ] && [ -e ~/deaf ]; do sleep 0.05; done";
    link.start([
      start("job1", `nohup sleep 300 & ${polite} & ${deaf} & ${ready}; exit 134`),
      start("job1x", "nohup sleep 300 & echo ok"),
      start("gone", 'nohup sleep 300 & rm -rf "$PWD"'),
      start("clean", "true"),
    ]);
    for (const job of ["job1", "job1x", "gone", "clean"]) await event("ended", job);
    const left = async (job: string) => (await link.marks()).filter((mark) => mark.attempt === attempt(job).attempt);
    // A process that is just becoming another program shows no mark.
    await waitUntil("the marks are seen", async () => (await left("job1")).length >= 3);
    await waitUntil("the other's mark is seen", async () => (await left("job1x")).length === 1);
    const [ofJob1, ofOther] = [await left("job1"), await left("job1x")];
    for (const { pid } of [...ofJob1, ...ofOther]) assert.ok(await isAlive(pid));
    const jobs = ["job1", "gone", "clean"].map((job) => attempt(job));
    assert.deepEqual(await link.remove(jobs), ["removed", "absent", "removed"]);
    assert.deepEqual([await left("job1"), await left("gone")], [[], []]);
    assert.equal(await place.text(`${place.home}/asked`), "asked\n");
    // What another job left is not this one's; nor is what a later attempt runs.
    assert.deepEqual(await left("job1x"), ofOther);
    link.start([start("job1x", "sleep 300", { number: 2 })]);
    await waitUntil("it runs", async () => (await link.ask([attempt("job1x", 2)]))[0]?.type === "alive");
    assert.deepEqual(await link.remove([attempt("job1x")]), ["later"]);
    assert.deepEqual(await left("job1x"), ofOther);
    await link.kill([attempt("job1x", 2)], { graceMs: 1000 });
    assert.deepEqual(await link.remove([attempt("job1x", 2)]), ["removed"]);
    assert.deepEqual(await left("job1x"), []);
  });

  agentTest("ends what replaced jobs have left running with the directory that they had", async (place) => {
    const { link } = await place.connect();
    const [old, now, other] = ["job2", "job2-new", "job2x"].map((job) => attempt(job));
    const leave = (job: string, { attempt }: { attempt: AttemptId }) => ({
      ...start(job, "nohup sleep 300 & echo ok"),
      attempt,
    });
    for (const [job, one] of [["job2", old!], ["job2", now!], ["job2x", other!]] as const) {
      link.start([leave(job, one)]);
      await waitUntil(
        "it has ended",
        async () => (await link.ask([{ ...one, job: jobName(job) }]))[0]?.type === "ended",
      );
    }
    const left = async () =>
      (await link.marks()).filter((mark) => [old, now, other].some((one) => one!.attempt === mark.attempt))
        .map(({ attempt, owner }) => [attempt, owner]).sort();
    const [ofOld, ofNow] = [old!, now!].map(({ attempt }) => [attempt, `${QUEUE_ID}/job2`]);
    const ofOther = [other!.attempt, `${QUEUE_ID}/job2x`];
    const all = [ofOld!, ofNow!, ofOther].sort();
    await waitUntil("the marks are seen", async () => isDeepStrictEqual(await left(), all));
    assert.deepEqual(await link.remove([{ job: jobName("job2"), attempt: now!.attempt }]), ["removed"]);
    assert.deepEqual(await left(), [ofOther]);
    assert.deepEqual(await link.remove([other!]), ["removed"]);
    assert.deepEqual(await left(), []);
  });

  needTest(
    `agent in ${shell} starts Python so that SIGINT is KeyboardInterrupt`,
    whyNoPrograms("python3"),
    () =>
      withPlace(shell, async (place) => {
        const { link, event } = await place.connect();
        const command = "import os, signal\ntry:\n  os.kill(os.getpid(), 2)\n  signal.pause()\n" +
          "except KeyboardInterrupt:\n  print('interrupted')";
        link.start([start("job1", command, { shell: "python3" })]);
        assert.equal((await event("ended")).exitCode, 0);
        assert.equal(await place.file("job1", ".out"), "interrupted\n");
      }),
  );

  for (const jobShell of ["bash", "zsh", "fish", "tcsh", "python3"]) {
    needTest(
      `agent in ${shell} tells the ends of jobs of ${jobShell}`,
      whyNoPrograms(jobShell),
      () =>
        withPlace(shell, async (place) => {
          const { link, event } = await place.connect();
          const [exit, cut] = jobShell === "python3"
            ? ["raise SystemExit(134)", "import os; os.abort()"]
            : ["exit 134", `kill -6 ${jobShell === "fish" ? "$fish_pid" : "$$"}`];
          link.start([
            start("own", exit, { shell: jobShell }),
            start("cut", cut, { shell: jobShell }),
          ]);
          for (const [job, state] of [["own", "end"], ["cut", "crash"]] as const) {
            const ended = await event("ended", job);
            assert.deepEqual([ended.state, ended.exitCode], [state, 134], job);
          }
        }),
    );
  }
}
