/** Entries that cannot be meant, by a command or by hand: refused with their line, or a WARNING that names them. */
import assert from "node:assert/strict";
import { withPlace } from "./harness.ts";

Deno.test("an entry without a command is refused by every command, with file and line", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "q");
    const file = `${directory}/experiment/q-queue.yaml`;
    await Deno.writeTextFile(file, "b: {comand: python train.py}\n");
    const text = './experiment/q-queue.yaml:1: job "b": command is missing (the field "comand" is unknown)';
    for (
      const words of [["list"], ["refresh"], ["reset"], ["delete", "--name=b"], ["run", "fifo", "--max_parallel=1"]]
    ) {
      const { out, err, status } = await run("queue", ...words, "--queue=q");
      assert.deepEqual([out, err, status], ["", `ERROR: ${text}\n`, 2], words[0]);
    }
    const check = await run("queue", "check", "q");
    assert.match(check.err, /line 1: job "b": command is missing/);
    assert.equal(check.status, 1);
    for (
      const [entry, why] of [
        ["{command: ''}", "command is missing"],
        ["{command: x, gpu: abc}", 'gpu is "abc": use numbers such as 0,1'],
        ["{command: x, output: b.log}", "output is the file of its log: b.log"],
        ["{command: x, output: ./sub/../b.log}", "output is the file of its log: ./sub/../b.log"],
      ]
    ) {
      await Deno.writeTextFile(file, `b: ${entry}\n`);
      const { err, status } = await run("queue", "list", "q");
      assert.deepEqual([err, status], [`ERROR: ./experiment/q-queue.yaml:1: job "b": ${why}\n`, 2]);
    }
  });
});

Deno.test("a field that means nothing is a WARNING of check and of a run, with the field that was meant", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "q");
    await ok("cluster", "create", "c");
    const entry = "{command: 'true', pyenvv: x, zzz: 1}";
    await Deno.writeTextFile(`${directory}/experiment/q-queue.yaml`, `a: ${entry}\nb: ${entry}\n`);
    const host = "{name: localhost, user: me, max_job_allowed: 4}";
    await Deno.writeTextFile(`${directory}/experiment/c-cluster.yaml`, `h: ${host}\n`);
    const lines = [
      'job a, b: unknown field "pyenvv"; did you mean pyenv?',
      'job a, b: unknown field "zzz"; it has no effect',
    ];
    const check = await run("queue", "check", "q");
    for (const line of lines) assert.ok(check.err.includes(`WARNING: ./experiment/q-queue.yaml: ${line}`), check.err);
    assert.equal(check.status, 1);
    const { err } = await run("queue", "run", "fifo_multi", "q", "--hostfile=c", "--timeout=0.5");
    const ofHost = 'host h: unknown field "max_job_allowed"; did you mean max_jobs_allowed?';
    assert.equal(err, [ofHost, ...lines].map((line) => `WARNING: ${line}\n`).join(""));
  });
});

Deno.test("jobs that write into one file are a WARNING of add and check; an output that is the log is refused", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "q");
    for (
      const [option, path] of [["output", "~/all/result.out"], ["log", "/tmp/all.log"], ["output", "../x/result.out"]]
    ) {
      const added = await run("queue", "add", "q", "--name=s[1-4]", "--command=hostname", `--${option}=${path}`);
      const line = `job s1, s2, s3, s4: all write to ${path}, where the lines of one job alone survive`;
      assert.deepEqual([added.err, added.status], [`WARNING: ${line}\n`, 0]);
      const check = await run("queue", "check", "q");
      assert.ok(check.err.includes(`${line}. To do: give each job a file of its own`), check.err);
    }
    const set = ["queue", "set", "q", "--name=s[1-2]", "--key=output", "--value=~/two.out"];
    assert.match((await run(...set)).err, /^WARNING: job s1, s2: all write to ~\/two\.out, where /);
    await ok("queue", "add", "q", "--name=s1", "--command=hostname", "--output=~/all/result.out");
    await ok("queue", "add", "q", "--name=s[2-4]", "--command=hostname", "--output=result.out");
    for (const words of [["--output=j2.log"], ["--output=./j2.log"], ["--output=x", "--log=x"], ["--log=j2.out"]]) {
      const { err, status } = await run("queue", "add", "q", "--name=j[1-3]", "--command=x", ...words);
      assert.match(err, /^ERROR: Cannot use .* as output of job j[12]: it is the file of its log\n$/);
      assert.equal(status, 2);
    }
    for (
      const words of [["--output=j2.bash"], ["--log=j2.pid"], ["--output=../s1/s1.out"], [
        "--output=j2.sh",
        "--shell=sh",
      ]]
    ) {
      const { err, status } = await run("queue", "add", "q", "--name=j[1-3]", "--command=x", ...words);
      assert.match(err, /^ERROR: Cannot use .* as (output|log) of job j[12]: it is a file of (the program|job s1)\n$/);
      assert.equal(status, 2);
    }
    assert.doesNotMatch(await ok("queue", "list", "q"), /\| j/);
  });
});

Deno.test("line ends of Windows are shown, and are a WARNING of add and check", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "q");
    const { err, status } = await run("queue", "add", "q", "--name=w", "--command=cd /tmp\r\npwd\r\n");
    const line = "job w: the command or pyenv holds \\r (a line end of Windows), which the shell takes for text";
    assert.deepEqual([err, status], [`WARNING: ${line}\n`, 0]);
    assert.match(await ok("queue", "list", "q"), /\| cd \/tmp\\r \|/);
    assert.match((await run("queue", "check", "q")).err, /job w: the command or pyenv holds/);
    const set = await run("queue", "set", "q", "--name=w", "--set", "command=x\r\ny");
    assert.deepEqual([set.err, set.status], [`WARNING: ${line}\n`, 0]);
  });
});

Deno.test("gpu beside gpus is a WARNING of add and set: it has no effect", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "q");
    const line = "WARNING: job b: gpu has no effect beside gpus, which lets the run choose the devices\n";
    const { err, status } = await run("queue", "add", "q", "--name=b", "--command=true", "--gpu=0", "--gpus=1");
    assert.deepEqual([err, status], [line, 0]);
    assert.equal((await run("queue", "set", "q", "b", "--set=gpus=")).err, "");
    assert.equal((await run("queue", "set", "q", "b", "--set=gpus=2")).err, line);
  });
});

Deno.test("a gpu or an address that cannot be one is refused", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create");
    await ok("cluster", "create");
    const host = ["cluster", "add", "--id=h", "--name=red", "--user=pi"];
    for (const gpu of ["abc", "0;1", "0,,1", " 0", "0 1", "-2"]) {
      for (const words of [["queue", "add", "--name=j", "--command=x"], host]) {
        const { err, status } = await run(...words, `--gpu=${gpu}`);
        assert.match(err, /^ERROR: Cannot use .* as a gpu: give numbers such as 0,1 /);
        assert.equal(status, 2);
      }
    }
    for (const gpu of ["0", "0,1", "-1", "GPU-8932f937-d72c,1", "MIG-GPU-8932/1/0"]) {
      await ok("queue", "add", "--name=j", "--command=x", `--gpu=${gpu}`);
    }
    for (const word of ["--ip=999.1.1.1", "--ip=1.2.3.256"]) {
      assert.match((await run(...host, word)).err, /^ERROR: Cannot use ".*" as a host name: it is no IP address\n$/);
    }
    await ok(...host, "--ip=10.0.0.1");
    assert.equal((await run("cluster", "set", "--id=h", "--key=gpu", "--value=abc")).status, 2);
    assert.equal((await run("cluster", "set", "--id=h", "--key=ip", "--value=1.2.3.999")).status, 2);
    const file = `${directory}/experiment/default-cluster.yaml`;
    await Deno.writeTextFile(file, "h: {name: red, user: pi, gpu: abc}\n");
    assert.match((await run("cluster", "list")).err, /default-cluster.yaml:1: host "h": gpu is not valid/);
  });
});

Deno.test("check names jobs that ran, where a queue file from before is put back", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "q");
    await ok("queue", "add", "q", "--name=job[1-3]", "--command=true");
    const file = `${directory}/experiment/q-queue.yaml`;
    const before = await Deno.readTextFile(file);
    await ok("queue", "run", "fifo_multi", "q", "--hosts=localhost", "--timeout=0.5");
    await ok("queue", "add", "q", "--name=new", "--command=true");
    assert.match(await ok("queue", "check", "q"), /All agree/);
    await Deno.writeTextFile(file, before);
    const { out, err, status } = await run("queue", "check", "q");
    assert.match(out, /0 in flight, asked (me@)?localhost\.\n/);
    for (const job of ["job1", "job2", "job3"]) {
      assert.match(err, new RegExp(`^WARNING: Job ${job} on localhost is undefined, but .*older than what ran`, "m"));
    }
    assert.equal(status, 1);
  });
});
