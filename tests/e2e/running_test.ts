/**
 * What a job finds on its host, and what it leaves behind: output, exit code, environment, input files, failed starts.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TestHost } from "../../testing/hosts.ts";
import { hostTest } from "../../testing/need.ts";
import { Manager } from "../../testing/harness.ts";

const ON_RED = ["--user=pi", "--host=red"];

/** Adds a job for pi@red. */
function add(manager: Manager, name: string, command: string, ...more: string[]): Promise<string> {
  return manager.ok("queue", "add", "a", `--name=${name}`, "--command", command, ...ON_RED, ...more);
}

function runFifo(manager: Manager, ...more: string[]): ReturnType<Manager["cms"]> {
  return manager.cms("queue", "run", "fifo", "a", "--max_parallel=4", ...more);
}

async function fileOn(host: TestHost, path: string): Promise<string> {
  const { code, stdout, stderr } = await host.run(`cat -- "${path}"`);
  assert.equal(code, 0, stderr);
  return stdout;
}

hostTest("run: a compound command's stdout, stderr and exit code are where the document has them", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  await manager.ok("queue", "create", "a");
  await add(manager, "good", "echo fine");
  await add(manager, "mix", "echo one; (echo two); echo three | tr a-z A-Z; echo oops >&2; cat < /dev/stdin; exit 3");
  await add(manager, "high", "sh -c 'exit 143'");
  await add(manager, "shot", "kill -9 $$");
  const { code, stdout, stderr } = await runFifo(manager);
  assert.equal(await fileOn(red, "experiment/mix/mix.out"), "one\ntwo\nTHREE\n");
  assert.equal(await fileOn(red, "experiment/mix/mix-nohup.log"), "oops\n");
  assert.match(
    await fileOn(red, "experiment/mix/mix.log"),
    /^# cloudmesh state: start\n# date: .+\n# attempt: .+\n# date: .+\n# exit: 3\n# cloudmesh state: end\n$/,
  );
  assert.match(await fileOn(red, "experiment/mix/mix.pid"), /^\d+\n$/);
  const jobs = await manager.jobs();
  const seen = [...jobs.values()].map(({ name, status, exit_code }) => `${name} ${status} ${exit_code}`);
  assert.deepEqual(seen, ["good end 0", "mix end 3", "high end 143", "shot crash 137"]);
  assert.match(await manager.read("a-queue.yaml"), /^mix:\n( {2}.*\n)*? {2}exit_code: 3$/m);
  assert.ok(stdout.endsWith("INFO: Completed Jobs: ['good', 'mix', 'high']\n"), stdout);
  const told = stderr.split("\n").filter((line) => line.includes("did not end well"));
  assert.deepEqual(told, [
    "WARNING: Job mix did not end well: exit code 3 on pi@red",
    "WARNING: Job high did not end well: exit code 143 on pi@red",
    "WARNING: Job shot did not end well: crash, exit code 137 on pi@red",
  ]);
  assert.equal(code, 1);
  await manager.ok("queue", "delete", "a", "--name=mix,high,shot");
  await manager.ok("queue", "reset", "a", "--name=good");
  assert.equal((await runFifo(manager)).code, 0);
});

hostTest("run: each shell gets the GPU, and its python environment where it can source one", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  await manager.ok("queue", "create", "a");
  await red.run("mkdir -p ENV3/bin; echo 'export VENV=on' > ENV3/bin/activate; echo 'setenv VENV on' > ENV3/bin/csh");
  await red.run("echo 'set -gx VENV on' > ENV3/bin/fish");
  const posix = 'echo "$VENV $CUDA_VISIBLE_DEVICES ${0##*/}"';
  const shells: Record<string, { command: string; pyenv: string | null; prints: string }> = {
    bash: { command: posix, pyenv: "activate", prints: "on 0,1 JOB.bash" },
    sh: { command: posix, pyenv: "activate", prints: "on 0,1 JOB.sh" },
    zsh: { command: posix, pyenv: "activate", prints: "on 0,1 JOB.zsh" },
    tcsh: { command: 'echo "$VENV $CUDA_VISIBLE_DEVICES tcsh"', pyenv: "csh", prints: "on 0,1 tcsh" },
    fish: { command: "echo $VENV $CUDA_VISIBLE_DEVICES (status filename)", pyenv: "fish", prints: "on 0,1 JOB.fish" },
    python3: {
      command: "import os, sys\nfor n in [1]:\n  print(os.environ['CUDA_VISIBLE_DEVICES'], sys.argv[0])",
      pyenv: null,
      prints: "0,1 JOB.python3",
    },
  };
  const { stdout: there } = await red.run(`for s in ${Object.keys(shells).join(" ")}; do command -v $s; done`);
  const present = there.trim().split("\n").map((path) => path.split("/").at(-1) ?? "");
  assert.ok(present.includes("bash") && present.includes("sh"));
  for (const shell of present) {
    const { command, pyenv } = shells[shell]!;
    await add(
      manager,
      `in-${shell}`,
      command,
      `--shell=${shell}`,
      "--gpu=0,1",
      ...(pyenv ? [`--pyenv=~/ENV3/bin/${pyenv}`] : []),
    );
  }
  await add(manager, "path", posix, "--shell=/bin/bash");
  await add(manager, "plain", 'echo "${CUDA_VISIBLE_DEVICES-unset}"');
  const { code, stderr } = await runFifo(manager);
  assert.equal(code, 0, stderr);
  for (const shell of present) {
    const expected = shells[shell]!.prints.replace("JOB", `in-${shell}`);
    assert.equal(await fileOn(red, `experiment/in-${shell}/in-${shell}.out`), `${expected}\n`, shell);
  }
  assert.equal(await fileOn(red, "experiment/path/path.out"), "  path.bash\n");
  assert.equal(await fileOn(red, "experiment/plain/plain.out"), "unset\n");
  const { code: wrong, stderr: why } = await manager.cms(
    ...["queue", "add", "a", "--name=x", "--command=pass", "--shell=python3", "--pyenv=~/ENV3/bin/activate"],
  );
  assert.equal(wrong, 2);
  assert.match(why, /^ERROR: Cannot use a pyenv with the shell "python3"/);
});

hostTest("run: without its python environment a job does not run in any shell, and the run says why", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  await manager.ok("queue", "create", "a");
  const { stdout: there } = await red.run("for s in bash sh zsh tcsh fish; do command -v $s; done");
  const present = there.trim().split("\n").map((path) => path.split("/").at(-1) ?? "");
  const jobs = present.map((shell) => `in-${shell}`);
  for (const [i, shell] of present.entries()) {
    await add(manager, jobs[i]!, "echo ran", `--shell=${shell}`, "--pyenv=~/ENV9/bin/activate");
  }
  const why = (job: string, at: string) =>
    `WARNING: Job ${job} did not end well: exit code 248, its pyenv could not be sourced (see ${job}-nohup.log) on ${at}\n`;
  const fifo = await runFifo(manager);
  assert.deepEqual([fifo.stderr, fifo.code], [jobs.map((job) => why(job, "pi@red")).join(""), 1]);
  for (const job of jobs) {
    assert.equal(await fileOn(red, `experiment/${job}/${job}.out`), "", job);
    assert.match(await fileOn(red, `experiment/${job}/${job}-nohup.log`), /ENV9/, job);
  }
  // The environment of a host, on another machine and on the manager itself.
  await manager.ok("cluster", "create", "c");
  for (const [id, name] of [["h1", "red01"], ["h2", "localhost"]]) {
    await manager.ok("cluster", "add", "c", `--id=${id}`, `--name=${name}`, "--user=pi", "--pyenv=~/ENV9/bin/activate");
  }
  await manager.ok("queue", "delete", "a", `--name=${jobs.join(",")}`);
  await manager.ok("queue", "add", "a", "--name=x[1-2]", "--command=echo ran; sleep 1");
  const multi = await manager.cms("queue", "run", "fifo_multi", "a", "--hostfile=c");
  assert.equal(multi.code, 1);
  assert.equal(multi.stderr.match(/did not end well: exit code 248, its pyenv could not be sourced/g)?.length, 2);
});

hostTest("run: output and log go where they are sent, below the job, absolute or below the home", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  await manager.ok("queue", "create", "a");
  await add(manager, "below", "echo below", "--output=results/day one/o.txt", "--log=states.txt");
  await add(manager, "absolute", "echo absolute", "--output=/tmp/deep/o.txt");
  await add(manager, "home", "echo home", "--output=~/o.txt", "--log=~/logs/l.txt");
  const { code, stderr } = await runFifo(manager);
  assert.equal(code, 0, stderr);
  assert.equal(await fileOn(red, "experiment/below/results/day one/o.txt"), "below\n");
  assert.match(await fileOn(red, "experiment/below/states.txt"), /cloudmesh state: end\n$/);
  assert.equal(await fileOn(red, "/tmp/deep/o.txt"), "absolute\n");
  assert.match(await fileOn(red, "experiment/absolute/absolute.log"), /cloudmesh state: end\n$/);
  assert.equal(await fileOn(red, "o.txt"), "home\n");
  assert.match(await fileOn(red, "logs/l.txt"), /cloudmesh state: end\n$/);
  assert.deepEqual(await manager.states(), ["below end", "absolute end", "home end"]);
});

hostTest("run: input files of the manager go along, with their names, places and modes", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  await manager.ok("queue", "create", "a");
  await manager.type(`mkdir -p experiment/job1/input/deep experiment/other-job; cd experiment/job1
    printf '#!/bin/sh\\necho "tool $1"\\n' > tool; chmod 755 tool; echo data > input/deep/data; echo blank > 'with blank'
    echo hidden > .hidden; head -c 300000 /dev/urandom > input/large; cksum < input/large > ../sum`);
  await add(manager, "job1", "./tool x; cat input/deep/data 'with blank' .hidden; cksum < input/large");
  await add(manager, "job2", "ls -A | grep -v job2 | grep -v '^.cms$'");
  const { code, stderr } = await runFifo(manager);
  assert.equal(code, 1, stderr); // grep found nothing: job2 ends with 1
  assert.equal(
    await fileOn(red, "experiment/job1/job1.out"),
    `tool x\ndata\nblank\nhidden\n${await manager.read("sum")}`,
  );
  assert.equal(await fileOn(red, "experiment/job2/job2.out"), "", "job2 has no input");
  assert.equal((await red.run("ls experiment")).stdout, "job1\njob2\n", "only directories of jobs go along");
  assert.equal(stderr.includes("already present"), false, "input files are not taken for those of an earlier run");
});

hostTest("run: other experiment directories, relative and absolute", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  for (const experiment of ["other/runs", `/tmp/${manager.dir.split("/").at(-2)}-abs`]) {
    const words = [`--experiment=${experiment}`];
    await manager.ok("queue", "create", "a", ...words);
    await add(manager, "job1", "pwd", ...words);
    const { code, stderr } = await runFifo(manager, ...words);
    assert.equal(code, 0, stderr);
    const place = experiment.startsWith("/") ? experiment : `/home/pi/${experiment}`;
    assert.equal(await fileOn(red, `${place}/job1/job1.out`), `${place}/job1\n`);
    assert.deepEqual((await manager.jobs("a", ...words)).get("job1")?.status, "end");
    await manager.ok("queue", "reset", "a", "--status=end", ...words);
    assert.equal((await red.run(`ls ${place}`)).stdout, "");
    if (experiment.startsWith("/")) await Deno.remove(experiment, { recursive: true });
  }
  assert.equal((await red.run("ls")).stdout, "other\n");
});

hostTest("run: a command's text arrives as it is: Unicode, quotes, several lines, a megabyte", async (hosts) => {
  await using manager = await Manager.make(hosts);
  const red = hosts.host("red");
  await manager.ok("queue", "create", "a");
  const odd = `a'b"c \`d\` $e \\ \\n # ! %s ~ * ünï 日本 🚀 \t|`;
  await add(manager, "odd", `cat <<'END'\n${odd}\nEND\n`);
  await add(manager, "lines", "for i in 1 2; do\n  echo $i\ndone\n# a comment: the last line");
  await add(manager, "slash", "echo slash \\");
  await add(manager, "yes", "echo 'yes: no # null' 007");
  await add(manager, "long", "PLACE");
  // More than a command line can carry; so a person puts it into the file.
  const letters = "x".repeat(1_000_000);
  const yaml = await manager.read("a-queue.yaml");
  assert.match(yaml, /command: PLACE\n/);
  await Deno.writeTextFile(
    manager.path("a-queue.yaml"),
    yaml.replace("command: PLACE\n", `command: "printf %s ${letters} | wc -c\\nprintf %s ${letters} | tr -d x"\n`),
  );
  const { code, stderr } = await runFifo(manager);
  assert.equal(code, 0, stderr);
  const out = (job: string) => fileOn(red, `experiment/${job}/${job}.out`);
  assert.equal(await out("odd"), `${odd}\n`);
  assert.equal(await out("lines"), "1\n2\n");
  assert.equal(await out("slash"), "slash\n");
  assert.equal(await out("yes"), "yes: no # null 007\n");
  assert.equal((await out("long")).trim(), "1000000");
});

hostTest("run: a start that fails is fail_start, and its slot is free at once", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await hosts.host("red").run("mkdir -m 755 -p /home/pi/experiment/blocked; chown pi: /home/pi/experiment", {
    user: "root",
  });
  await manager.ok("queue", "create", "a");
  await add(manager, "noshell", "true", "--shell=nosuchshell");
  await add(manager, "blocked", "true");
  await manager.ok("queue", "add", "a", "--name=nohost", "--command=true", "--user=pi", "--host=nosuchhost.invalid");
  await add(manager, "last", "true");
  const { code, stdout, stderr } = await manager.cms("queue", "run", "fifo", "a", "--max_parallel=1");
  assert.deepEqual(await manager.states(), [
    "noshell fail_start",
    "blocked fail_start",
    "nohost fail_start",
    "last end",
  ]);
  for (const job of ["noshell", "blocked", "nohost"]) {
    assert.match(stderr, new RegExp(`^WARNING: Job ${job} failed to start\\.$`, "m"));
  }
  assert.match(stderr, /noshell on pi@red: there is no shell "nosuchshell"/);
  assert.match(stderr, /blocked on pi@red: cannot write .*[Pp]ermission denied/);
  assert.match(stderr, /nohost on pi@nosuchhost.invalid: its name cannot be resolved/);
  assert.ok(stdout.endsWith("INFO: Ran Jobs: ['last']\nINFO: Completed Jobs: ['last']\n"), stdout);
  assert.equal(code, 1);
});

hostTest("run: fifo passes over jobs without a host, and warns of a directory that is there already", async (hosts) => {
  await using manager = await Manager.make(hosts);
  await manager.ok("queue", "create", "a");
  await add(manager, "one", "hostname");
  await manager.ok("queue", "add", "a", "--name=nowhere", "--command=true");
  await manager.ok("queue", "add", "a", "--name=two", "--command=hostname", "--user=pi", "--host=red01");
  const { code, stdout, stderr } = await runFifo(manager);
  assert.deepEqual(await manager.states(), ["one end", "nowhere undefined", "two end"]);
  assert.equal(await fileOn(hosts.host("red"), "experiment/one/one.out"), "red\n");
  assert.equal(await fileOn(hosts.host("red01"), "experiment/two/two.out"), "red01\n");
  assert.match(stdout, /^INFO: Skipping job: nowhere, it has no user and host\.$/m);
  assert.equal(stderr, "WARNING: Skipped, and still waiting: ['nowhere']\n");
  assert.equal(code, 1);
  // By hand, as the document's recovery has it: without a reset.
  const yaml = await manager.read("a-queue.yaml");
  await Deno.writeTextFile(manager.path("a-queue.yaml"), yaml.replace("status: end", "status: ready"));
  const again = await runFifo(manager);
  assert.match(again.stderr, /^WARNING: Job directory experiment\/one already present on host pi@red\.$/m);
  assert.match(again.stdout, /Ran Jobs: \['one'\]/);
});
