/** The user's document, line by line: every command of `cms queue` that starts no job. */
import assert from "node:assert/strict";
import { flagOf, OPTION_WORDS } from "../../src/job/option_words.ts";
import { setOptions } from "../../src/job/options.ts";
import { listJobs } from "../../src/operations/list_jobs.ts";
import { queueRef } from "../../src/operations/refs.ts";
import { filesIn, withPlace } from "./harness.ts";

const ADDED = Array.from({ length: 10 }, (_, i) => `INFO: Adding job job${i + 1} to queue a\n`).join("");

const TABLE = `\
+-------+--------+----------+-----+-----------+-----------+------------+
| name  | status | command  | gpu | output    | log       | experiment |
+-------+--------+----------+-----+-----------+-----------+------------+
| job1  | ready  | sleep 10 | 0   | job1.out  | job1.log  | experiment |
| job2  | ready  | sleep 10 | 0   | job2.out  | job2.log  | experiment |
| job3  | ready  | sleep 10 | 0   | job3.out  | job3.log  | experiment |
| job4  | ready  | sleep 10 | 0   | job4.out  | job4.log  | experiment |
| job5  | ready  | sleep 10 | 0   | job5.out  | job5.log  | experiment |
| job6  | ready  | sleep 10 | 0   | job6.out  | job6.log  | experiment |
| job7  | ready  | sleep 10 | 0   | job7.out  | job7.log  | experiment |
| job8  | ready  | sleep 10 | 0   | job8.out  | job8.log  | experiment |
| job9  | ready  | sleep 10 | 0   | job9.out  | job9.log  | experiment |
| job10 | ready  | sleep 10 | 0   | job10.out | job10.log | experiment |
+-------+--------+----------+-----+-----------+-----------+------------+
`;

Deno.test("queue create, add, list, delete and reset print the document's lines", async () => {
  await withPlace(async ({ ok }) => {
    assert.equal(await ok("queue", "create", "a"), "");
    assert.match(await ok("queue", "list", "a"), /^INFO: Queue a is empty; to add a job: cms queue add a --name=/);
    const spec = ["--user=pi", "--host=red", "--gpu=0", "--pyenv=~/ENV3/bin/activate"];
    assert.equal(await ok("queue", "add", "a", "--name=job[1-10]", "--command='sleep 10'", ...spec), ADDED);
    assert.equal(await ok("queue", "list", "a"), TABLE);
    const names = [...TABLE.matchAll(/^\| (job\d+) /gm)].map(([, name]) => `${name}\n`);
    assert.ok(names.length > 1);
    assert.equal(await ok("queue", "list", "a", "--quiet"), names.join(""));
    assert.equal(await ok("queue", "list", "a", "--quiet", "--failed"), "");
    assert.equal(await ok("queue", "info", "--queue=a"), TABLE);
    assert.equal(await ok("queue", "delete", "a", "--name=job[9-10]"), "INFO: Deleting jobs: ['job9', 'job10']\n");
    assert.equal(
      await ok("queue", "add", "a", "--name=job1", "--command=x", "--status=end", ...spec),
      "INFO: Adding job job1 to queue a\n",
    );
    assert.equal(
      await ok("queue", "reset", "a", "--status=end"),
      "job1 \t old_status:end \t new_state:ready\n\n",
    );
    assert.equal(await ok("queue", "reset", "a", "--status=end"), "No job status changes.\n");
    assert.equal(await ok("queue", "refresh", "a"), "INFO: Refreshing Queue: a\nNo job status changes.\n");
  });
});

Deno.test("queue add without user and host makes undefined jobs, shown as in the document", async () => {
  await withPlace(async ({ ok }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=job[0-1]", "--command='hostname'");
    assert.equal(
      await ok("queue", "list", "a"),
      `\
+------+-----------+----------+-----+----------+----------+------------+
| name | status    | command  | gpu | output   | log      | experiment |
+------+-----------+----------+-----+----------+----------+------------+
| job0 | undefined | hostname |     | job0.out | job0.log | experiment |
| job1 | undefined | hostname |     | job1.out | job1.log | experiment |
+------+-----------+----------+-----+----------+----------+------------+
`,
    );
  });
});

Deno.test("a queue is named in four forms, with and without its file's ending", async () => {
  await withPlace(async ({ ok, directory }) => {
    for (const form of [["a"], ["queue=b"], ["--queue=c"], ["--queue", "d-queue.yaml"], []]) {
      await ok("queue", "create", ...form);
      await ok("queue", "list", ...form);
    }
    const files = ["a-queue.yaml", "b-queue.yaml", "c-queue.yaml", "d-queue.yaml", "default-queue.yaml"];
    assert.deepEqual(await filesIn(`${directory}/experiment`), files);
  });
});

Deno.test("queue commands keep to the experiment that is given", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "a", "--experiment=./runs/one/");
    assert.deepEqual(await filesIn(`${directory}/runs/one`), ["a-queue.yaml"]);
    await ok("queue", "add", "a", "--experiment=runs/one", "--name=x", "--command=true");
    assert.match(await ok("queue", "list", "a", "--experiment", "runs/one"), /\| x {4}\| .* runs\/one /);
    assert.equal((await run("queue", "create", "a", "--experiment=../up")).status, 2);
  });
});

Deno.test("a missing queue is an ERROR, status 2, and no file is made", async () => {
  await withPlace(async ({ run, directory }) => {
    const commands = [["list"], ["add", "--name=x", "--command=y"], ["delete", "--name=x"], ["reset"], ["refresh"]];
    commands.push(["run", "fifo", "--max_parallel=1"]);
    for (const [verb = "", ...rest] of commands) {
      const words = verb === "run" ? ["run", rest[0] as string, "b", ...rest.slice(1)] : [verb, "b", ...rest];
      assert.deepEqual(await run("queue", ...words), {
        out: "",
        err: "ERROR: Queue: ./experiment/b-queue.yaml does not exist; there is no queue in experiment; " +
          "to make it: cms queue create b\n",
        status: 2,
      });
    }
    assert.deepEqual(await filesIn(directory), []);
  });
});

Deno.test("values keep blanks, dashes and quotes as they were given, but one pair around the whole", async () => {
  await withPlace(async ({ ok }) => {
    await ok("queue", "create");
    const commands: [given: string, kept: string][] = [
      ["sleep 10", "sleep 10"],
      ["'sleep 10'", "sleep 10"],
      ['"sleep 10"', "sleep 10"],
      ["'a' 'b'", "'a' 'b'"],
      ["-x", "-x"],
      ["--version", "--version"],
      ["echo a=b", "echo a=b"],
      ["a\nb\tc", "a\nb\tc"],
    ];
    for (const [given, kept] of commands) {
      await ok("queue", "add", "--command", given, "--name", "j");
      const [job] = JSON.parse(await ok("queue", "list", "--output=json"));
      assert.equal(job.command, kept);
    }
  });
});

Deno.test("queue list filters by state and number, and shows more with --wide", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create");
    await ok("queue", "add", "--name=a[1-3]", "--command=x", "--host=red", "--user=pi");
    await ok("queue", "add", "--name=b", "--command=x", "--status=crash");
    const names = async (...words: string[]) =>
      JSON.parse(await ok("queue", "list", "--output=json", ...words)).map((job: { name: string }) => job.name);
    assert.deepEqual(await names(), ["a1", "a2", "a3", "b"]);
    assert.deepEqual(await names("--status=crash"), ["b"]);
    assert.deepEqual(await names("--limit=2"), ["a1", "a2"]);
    assert.match(
      await ok("queue", "list", "--wide"),
      /experiment \| host \| user \| exit_code \| started \| ended \| duration \| reason +\|\n/,
    );
    assert.match(
      (await run("queue", "list", "--status=bad")).err,
      /^ERROR: Cannot use "bad" as a status: use undefined, ready, /,
    );
  });
});

Deno.test("queue list has the forms json, yaml and csv, empty ones too", async () => {
  await withPlace(async ({ ok }) => {
    await ok("queue", "create");
    assert.equal(await ok("queue", "list", "--output=json"), "[]\n");
    assert.equal(await ok("queue", "list", "--output=yaml"), "[]\n");
    assert.equal(await ok("queue", "list", "--output=csv"), "name,status,command,gpu,output,log,experiment\n");
    await ok("queue", "add", "--name=a", '--command=echo "x", 007', "--gpu=0");
    assert.match(await ok("queue", "list", "--output=csv"), /\na,undefined,"echo ""x"", 007",0,a.out,/);
    assert.match(await ok("queue", "list", "--output=yaml"), /^- name: a\n(.*\n)* {2}gpu: '0'\n/);
  });
});

Deno.test("queue delete tells of names that are not there and deletes the others", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create");
    await ok("queue", "add", "--name=a", "--command=x");
    assert.deepEqual(await run("queue", "delete", "--name=a,b"), {
      out: "INFO: Deleting jobs: ['a']\n",
      err: "WARNING: Could not delete job:b, it is not in queue default\n",
      status: 1,
    });
  });
});

Deno.test("queue run fifo_multi without hosts is the document's WARNING, status 2", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    assert.deepEqual(await run("queue", "run", "fifo_multi", "a"), {
      out: "",
      err: "WARNING: Please provide a --hosts or --hostfile argument\n",
      status: 2,
    });
    await ok("cluster", "create", "c");
    assert.deepEqual(await run("queue", "run", "fifo_multi", "a", "--hostfile=c-cluster.yaml"), {
      out: "",
      err: "WARNING: No free hosts found in cluster c-cluster.yaml: it has no hosts; " +
        "to add one: cms cluster add c --id=...\n",
      status: 2,
    });
    const missing = await run("queue", "run", "fifo_multi", "a", "--hostfile=d");
    assert.match(missing.err, /^ERROR: Cluster: .\/experiment\/d-cluster.yaml does not exist; there is c; /);
  });
});

Deno.test("queue --service takes its words in every order", async () => {
  await withPlace(async ({ run }) => {
    for (const words of ["--service info --port=8123", "--service=info --port=8123", "--port 8123 --service info"]) {
      assert.equal((await run("queue", ...words.split(" "))).out, "http://127.0.0.1:8123/docs\n");
    }
    const { err, status } = await run("queue", "--service", "start", "--port=x");
    assert.match(err, /^ERROR: .*--port.*\n$/);
    assert.equal(status, 2);
  });
});

Deno.test("queue list says on stderr that no run follows what it shows as running", async () => {
  await withPlace(async ({ run, ok, directory }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=job[1-2]", "--command=x", "--user=pi", "--host=red");
    const file = `${directory}/experiment/a-queue.yaml`;
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, text.replace("status: ready", "status: start"));
    const { out, err, status } = await run("queue", "list", "a", "--output=csv");
    assert.match(out, /^job1,start,/m);
    assert.equal(
      err,
      "WARNING: 1 job is shown as running, and no run follows: cms queue refresh a asks the hosts, cms queue run goes on\n",
    );
    assert.equal(status, 0);
    assert.equal((await run("queue", "list", "a", "--status=ready")).err, "");
  });
});

Deno.test("queue add has a word for each option, of which completion and help know", async () => {
  await withPlace(async ({ ok, run, deps }) => {
    await ok("queue", "create");
    await ok("queue", "add", "--name=prep[1-2]", "--command=x");
    const words = "--retries=2 --retry-delay=5s --retry-on=exit --retry-on=75 --after=prep[1-2] --after-any=prep1";
    await ok("queue", "add", "--name=b", "--command=x", ...words.split(" "), "--priority=3", "--hold");
    const [, , job] = await listJobs(deps, { queue: queueRef(deps, {}) });
    assert.deepEqual(setOptions(job!), {
      retries: 2,
      retry_delay: "5s",
      retry_on: ["exit", 75],
      after: ["prep1", "prep2"],
      after_any: ["prep1"],
      priority: 3,
      hold: true,
    });
    const refused = await run("queue", "add", "--name=c", "--command=x", "--retries=-1");
    assert.deepEqual([refused.status, refused.out], [2, ""]);
    assert.match(refused.err, /^ERROR: retries: "-1" cannot be used: give a whole number from 0 to 1000000\n$/);
    const help = await ok("help", "queue", "add");
    const offered = (await ok("__complete", "queue", "add", "--")).split("\n");
    for (const word of OPTION_WORDS) {
      assert.ok(help.includes(word.flag), word.flag);
      assert.ok(offered.includes(flagOf(word) + (word.kind === "flag" ? "" : "=")), word.flag);
    }
  });
});

Deno.test("queue list chooses jobs, columns and order, and shows why jobs are where they are", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=job[1-3]", "--command=exit 3", "--shell=sh", "--priority=2");
    await ok("queue", "add", "a", "--name=good", "--command=true", "--shell=sh");
    await ok("queue", "add", "a", "--name=held", "--command=true", "--hold");
    await ok("queue", "add", "a", "--name=child", "--command=true", "--after=held");
    await run("queue", "run", "fifo_multi", "a", "--hosts=localhost");
    const names = async (...words: string[]) =>
      (await ok("queue", "list", "a", "--columns=name", "--output=csv", ...words)).trim().split("\n").slice(1).join(
        " ",
      );
    assert.equal(await names("--status=end"), "job1 job2 job3 good");
    assert.equal(await names("--where=exit_code=0"), "good");
    assert.equal(await names("--where=priority=2", "--where=name!=job1"), "job2 job3");
    assert.equal(await names("--sort=-name", "--limit=2"), "job3 job2");
    assert.equal(
      (await ok("queue", "list", "a", "--columns=name,reason", "--name=held,child,good")).split("\n").slice(3, 6).join(
        "\n",
      ),
      "| good  | ended well     |\n| held  | held           |\n| child | waits for held |",
    );
    const wide = JSON.parse(await ok("queue", "list", "a", "--wide", "--output=json", "--name=good"));
    assert.equal(typeof wide[0].duration, "number");
    assert.match(await ok("queue", "list", "a", "--failed"), /^INFO: No job|\| job/);
    for (const words of [["--columns=nothing"], ["--sort=nothing"], ["--where=nothing"], ["--status=done"]]) {
      assert.equal((await run("queue", "list", "a", ...words)).status, 2, words.join());
    }
  });
});

Deno.test("while no run goes on, the file has all of the queue after every command", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "a");
    const file = `${directory}/experiment/a-queue.yaml`;
    // Of the copy there is no journal. It stands elsewhere: one beside the queue is another queue.
    await Deno.mkdir(`${directory}/copy`);
    const copied = async (name: string): Promise<string> => {
      await Deno.copyFile(file, `${directory}/copy/a-queue.yaml`);
      const [a, b] = [
        await run("queue", "list", "a", "--output=json"),
        await run("queue", "list", "a", "--output=json", "--experiment=copy"),
      ];
      assert.equal(b.out, a.out, name);
      return a.out;
    };
    let before = await copied("create");
    const save = async (from: string, to: string) => {
      const text = await Deno.readTextFile(file);
      assert.ok(text.includes(from), text);
      await Deno.writeTextFile(file, text.replaceAll(from, to));
      before = await copied("edit");
    };
    const change = async (...words: string[]) => {
      await run("queue", ...words);
      const after = await copied(words.join(" "));
      assert.notEqual(after, before, words.join(" "));
      before = after;
    };
    await change("add", "a", "--name=job[1-4]", "--command=x", "--user=pi", "--host=localhost");
    await change("set", "a", "--name=job1", "--key=gpu", "--value=1");
    await change("move", "a", "job4", "--first");
    await change("hold", "a", "job1");
    await change("release", "a", "job1");
    for (const words of [["kill", "a", "job1"], ["refresh", "a"], ["stop", "a", "--kill"]]) {
      await save("status: ready", "status: start");
      await change(...words);
      await change("reset", "a");
    }
    await change("delete", "a", "--name=job2");
  });
});
