/** What a command says of words that cannot be meant: what, where, and what to do next. */
import assert from "node:assert/strict";
import { withPlace } from "./harness.ts";

Deno.test("an option that takes a list takes all that is given, as a shell's braces make it", async () => {
  await withPlace(async ({ ok }) => {
    await ok("queue", "create");
    await ok("queue", "add", "--name=job1", "--name=job2", "--name=job[3-4]", "--command=x");
    const names = async (...words: string[]) =>
      JSON.parse(await ok("queue", "list", "--output=json", ...words)).map((job: { name: string }) => job.name);
    assert.deepEqual(await names(), ["job1", "job2", "job3", "job4"]);
    assert.deepEqual(await names("--name=job1", "--name=job4"), ["job1", "job4"]);
    await ok("queue", "delete", "--name=job1", "--name=job2");
    assert.deepEqual(await names(), ["job3", "job4"]);
    await ok("cluster", "create");
    await ok("cluster", "add", "--id=h1", "--id=h2", "--name=red", "--user=pi");
    assert.match(await ok("cluster", "deactivate", "--id=h1", "--id=h2"), /h1.*\n.*h2/);
    assert.equal(await ok("cluster", "delete", "--id=h1", "--id=h2"), "INFO: Deleting hosts: ['h1', 'h2']\n");
  });
});

const TWICE: readonly string[] = [
  "queue add --name=x --command=a --command=a",
  "queue add --name=x --command=a --gpu=0 --gpu=1",
  "queue list --queue=a --queue=a",
  "queue list --limit=1 --limit=2",
  "cluster list --status=active --status=inactive",
  "queue run fifo --max_parallel=1 --max-parallel=2",
  "queue run fifo_multi --hosts=red --timeout=1 --timeout=2",
  "cluster add --id=x --name=a --name=b --user=pi",
  "cluster set --id=x --key=gpu --key=gpu --value=1",
  "queue --service start --port=1 --port=2",
];
for (const words of TWICE) {
  Deno.test(`"cms ${words}" is refused with the option's name`, async () => {
    await withPlace(async ({ run, directory }) => {
      const { out, err, status } = await run(...words.split(" "));
      const given = words.split(" ").map((word) => word.split("=")[0]!.replace("max-", "max_"));
      const option = given.findLast((word, i) => given.indexOf(word) < i);
      assert.deepEqual([out, err, status], ["", `ERROR: Option ${option} is given twice; give it once\n`, 2]);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
    });
  });
}

const LINES: readonly [words: readonly string[], text: RegExp][] = [
  [["queue", "add", "a", "--nmae=x", "--command=y"], /Unknown option '--nmae=x' \(Did you mean --name\?\)/],
  [["cluster", "add", "c", "--id=x", "--nmae=x", "--user=y"], /Unknown option '--nmae=x' \(Did you mean --name\?\)/],
  [["queue", "add", "a", "--name=x", "--command=python", "train.py"], /quotes: --command='python train.py'; see/],
  [["queue", "add", "--name=x", "--command=python", "train.py"], /quotes: --command='python train.py'\n/],
  [["queue", "add", "--name=x", "--command", "python", "-m", "x"], /quotes: --command='python -m'; see/],
  [["queue", "list", "b"], /does not exist; there is a; to make it: cms queue create b\n/],
  [
    ["queue", "list", "b", "--experiment=run"],
    /there is no queue in run; to make it: cms queue create b --experiment=run/,
  ],
  [["queue", "--service", "start", "--port=65536"], /Give a number from 0 to 65535; 0 is any port that is free; see/],
  [["queue", "--service", "info", "--port=0"], /Give a number from 1 to 65535; see/],
  [["queue", "add", "a", "--name=x", "--command=cat presi\ufffdn.mp3"], /it is not UTF-8 text/],
  [["queue", "list", "/elsewhere/a-queue.yaml"], /give the queue's name, and --experiment=\/elsewhere\n/],
  [["queue", "list", "runs/a-queue.yaml", "--experiment=b"], /it is not in the experiment b\n/],
];
for (const [words, text] of LINES) {
  Deno.test(`"cms ${words.join(" ")}" says what to do`, async () => {
    await withPlace(async ({ ok, run }) => {
      await ok("queue", "create", "a");
      const { err, status } = await run(...words);
      assert.match(err, text);
      assert.match(err, /^ERROR: [^\n]*\n$/);
      assert.equal(status, 2);
      assert.match(await ok("queue", "list", "a"), /Queue a is empty/);
    });
  });
}

Deno.test("a queue or cluster may be named by the path of its file", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "a");
    await ok("cluster", "create", "c");
    await ok("queue", "add", "experiment/a-queue.yaml", "--name=x", "--command=y");
    assert.match(await ok("queue", "list", `${directory}/experiment/a-queue.yaml`), /\| x /);
    assert.match(await ok("cluster", "list", "./experiment/c-cluster.yaml"), /Cluster c is empty/);
    const chosen = await run("queue", "run", "fifo_multi", "a", "--hostfile=experiment/c-cluster.yaml");
    assert.match(chosen.err, /^WARNING: No free hosts found in cluster c-cluster\.yaml: it has no hosts/);
    const other = await run("queue", "run", "fifo_multi", "a", "--hostfile=runs/c-cluster.yaml");
    assert.match(
      other.err,
      /^ERROR: Cannot use cluster runs\/c-cluster.yaml: it is not in the experiment experiment\n/,
    );
  });
});

Deno.test("~ at the begin of a directory of the manager is the home directory", async () => {
  const home = await Deno.makeTempDir({ prefix: "cms-home-" });
  try {
    await withPlace(async ({ ok, run }) => {
      await ok("queue", "create", "a", "--experiment=~/runs");
      assert.equal((await Deno.stat(`${home}/runs/a-queue.yaml`)).isFile, true);
      const { err } = await run("queue", "--service", "start", "--credentials=~/nosuch");
      assert.match(err, new RegExp(`${home}/nosuch`));
    }, { HOME: home });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("no free host: each host with its reason and what to do", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    await ok("cluster", "create", "c");
    await ok("cluster", "add", "c", "--id=h[1-2]", "--name=red", "--user=pi");
    await ok("cluster", "deactivate", "c", "--id=h1");
    await ok("cluster", "set", "c", "--id=h2", "--key=max_jobs_allowed", "--value=0");
    const { err } = await run("queue", "run", "fifo_multi", "a", "--hostfile=c");
    assert.equal(
      err,
      "WARNING: No free hosts found in cluster c-cluster.yaml: " +
        "h1 has status inactive (cms cluster activate c --id=h1); " +
        "h2 has max_jobs_allowed 0 (cms cluster set c --id=h2 --key=max_jobs_allowed --value=1)\n",
    );
  });
});

Deno.test("help says which options must be given, and takes --service", async () => {
  await withPlace(async ({ ok }) => {
    const help = await ok("help", "queue", "add");
    assert.match(help, /--name <name> .*\(required\)/);
    assert.match(help, /--command <command> .*\(required\)/);
    assert.doesNotMatch(help, /--input <path> .*\(required\)/);
    assert.match(await ok("help", "cluster", "add"), /--user <user> .*\(required\)/);
    assert.match(await ok("help", "queue", "--service", "start"), /^Usage: cms queue service start /);
    assert.match(
      (await ok("help", "queue", "delete")).replaceAll(/\s+/g, " "),
      /remove their directories on the hosts with all results/,
    );
  });
});

Deno.test("a reset of names that are not there is status 1", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create");
    assert.deepEqual(await run("queue", "reset", "--name=nosuch"), {
      out: "No job status changes.\n",
      err: "WARNING: Job nosuch does not exist in queue default\n",
      status: 1,
    });
    const listed = await run("queue", "list", "--name=nosuch");
    assert.deepEqual([listed.err, listed.status], ["WARNING: Job nosuch does not exist in queue default\n", 1]);
  });
});

Deno.test("a file or directory in the way is said in plain words", async () => {
  await withPlace(async ({ run, directory }) => {
    await Deno.writeTextFile(`${directory}/experiment`, "");
    const made = await run("queue", "create", "a");
    assert.equal(made.err, "ERROR: experiment: cannot make the directory: there is a file of that name\n");
    await Deno.remove(`${directory}/experiment`);
    await Deno.mkdir(`${directory}/experiment/a-queue.yaml`, { recursive: true });
    assert.equal(
      (await run("queue", "list", "a")).err,
      "ERROR: ./experiment/a-queue.yaml: cannot read: it is a directory\n",
    );
    const below = await run("queue", "create", "a", "--experiment=experiment/a-queue.yaml/x/../y");
    assert.equal(below.status, 2);
  });
});

Deno.test("of a queue whose file is gone and whose journal is there nobody is told to make it anew", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=x", "--command=y");
    await Deno.remove(`${directory}/experiment/a-queue.yaml`);
    const { err } = await run("queue", "list", "a");
    assert.match(err, /does not exist; its journal is still there: .* back-up \(cms queue check a\)\n$/);
    assert.doesNotMatch(err, /create/);
  });
});

Deno.test("a link named queue completes as cms queue does", async () => {
  await withPlace(async ({ ok }) => {
    assert.equal(await ok("queue", "__complete", "re"), await ok("__complete", "queue", "re"));
    assert.equal(await ok("queue", "__complete", "ref"), "refresh\n");
  });
});
