/** Changing jobs by the command line: set, move, edit, and the choice of reset and delete. */
import assert from "node:assert/strict";
import { cms } from "../../src/cli/program.ts";
import { FakeTerminal, filesIn, type Place, withPlace } from "./harness.ts";

interface Row {
  readonly name: string;
  readonly status: string;
  readonly [field: string]: unknown;
}

async function jobs({ ok }: Place): Promise<Row[]> {
  return JSON.parse(await ok("queue", "list", "a", "--output=json")) as Row[];
}

async function names(place: Place): Promise<string> {
  return (await jobs(place)).map(({ name }) => name).join(" ");
}

/** Four jobs that wait, `bad` that failed with 3, `good` that ended well. */
async function withJobs(use: (place: Place) => Promise<void>, environment: Record<string, string> = {}): Promise<void> {
  await withPlace(async (place) => {
    await place.ok("queue", "create", "a");
    await place.ok("queue", "add", "a", "--name=job[1-4]", "--command=true");
    await place.ok("queue", "add", "a", "--name=bad,good", "--command=true", "--status=end");
    const file = `${place.directory}/experiment/a-queue.yaml`;
    let code = 3;
    const text = (await Deno.readTextFile(file)).replaceAll(/status: end([^]*?)exit_code: null/g, (_, between) => {
      const done = `status: end${between}exit_code: ${code}`;
      code = 0;
      return done;
    });
    await Deno.writeTextFile(file, text);
    await use(place);
  }, environment);
}

/** A terminal whose person edits by `edit` and answers with `answers`. */
class Editing extends FakeTerminal {
  readonly asked: string[] = [];
  readonly edit: (command: string, path: string) => Promise<number>;
  readonly #answers: string[];

  constructor(edit: (text: string) => string | number, answers: string[] = []) {
    super(true);
    this.#answers = answers;
    this.edit = async (_command, path) => {
      const made = edit(await Deno.readTextFile(path));
      if (typeof made === "number") return made;
      await Deno.writeTextFile(path, made);
      return 0;
    };
  }

  ask(question: string): Promise<string | null> {
    this.asked.push(question);
    return Promise.resolve(this.#answers.shift() ?? null);
  }
}

Deno.test("queue set sets fields of the chosen jobs, by --key and --value and by --set", async () => {
  await withJobs(async (place) => {
    const { ok, run } = place;
    assert.equal(
      await ok("queue", "set", "a", "job[2-3]", "--key=priority", "--value=5"),
      "INFO: Setting priority of 2 jobs: ['job2', 'job3']\n",
    );
    assert.equal(
      await ok("queue", "set", "a", "--where=priority=5", "--set", "retries=2", "--set=time_limit=1h", "--dry-run"),
      "INFO: Would set retries, time_limit of 2 jobs: ['job2', 'job3']\n",
    );
    assert.equal((await jobs(place)).some(({ retries }) => retries !== undefined), false);
    await ok(
      "queue",
      "set",
      "a",
      "--exit-code=3",
      "--set",
      "command=hostname",
      "--set",
      "user=pi",
      "--set",
      "host=red",
    );
    const rows = await jobs(place);
    assert.deepEqual(rows.map(({ command }) => command), ["true", "true", "true", "true", "hostname", "true"]);
    assert.equal(
      await ok("queue", "set", "a", "job1", "job2", "--set=priority=5").catch(() => "refused"),
      "refused",
    );
    assert.equal(
      await ok("queue", "set", "a", "--name=job1,job2", "--set=priority=5"),
      "INFO: Setting priority of 1 job: ['job1']\nINFO: They have it already: ['job2']\n",
    );
    await ok("queue", "set", "a", "--name=job1", "--set=user=pi", "--set=host=red");
    assert.equal((await jobs(place))[0]?.status, "ready");
    await ok("queue", "set", "a", "--name=job1", "--key=priority", "--value=");
    assert.equal((await jobs(place))[0]?.priority, undefined);
    const missing = await run("queue", "set", "a", "job9", "--set=priority=1");
    assert.deepEqual([missing.status, missing.err], [1, "WARNING: Job job9 does not exist in queue a\n"]);
  });
});

Deno.test("queue set refuses what cannot be, in one line, and changes nothing", async () => {
  await withJobs(async (place) => {
    const before = JSON.stringify(await jobs(place));
    for (
      const [words, message] of [
        [["job1"], /^ERROR: Missing --key and --value, or --set FIELD=VALUE; see: cms help queue set\n$/],
        [["job1", "--key=priority"], /^ERROR: Options --key and --value belong together/],
        [["job1", "--key=priority", "--value=1", "--set=priority=2"], /^ERROR: Field priority is given twice/],
        [["job1", "--set=comand=1"], /^ERROR: Cannot set "comand": did you mean command\?\n$/],
        [["job1", "--set=exit_code=1"], /^ERROR: Cannot set "exit_code": use one of command, status/],
        [["job1", "--set=priority=high"], /^ERROR: priority: "high" cannot be used: give a whole number/],
        [["job1", "--set=after=job1"], /^ERROR: .*job1/],
        [["--set=priority=1"], /^ERROR: Cannot set fields of jobs of queue a: say which/],
        [["--exit-code=x", "--set=priority=1"], /^ERROR: Cannot use "x" as an exit code/],
      ] as const
    ) {
      const { status, err, out } = await place.run("queue", "set", "a", ...words);
      assert.match(err, message);
      assert.deepEqual([status, out, err.split("\n").length], [2, "", 2], words.join(" "));
    }
    assert.equal(JSON.stringify(await jobs(place)), before);
  });
});

Deno.test("queue move moves jobs in the order of the queue", async () => {
  await withJobs(async (place) => {
    const { ok, run } = place;
    assert.equal(await ok("queue", "move", "a", "job4", "--first"), "INFO: Moving jobs: ['job4']\n");
    await ok("queue", "move", "a", "--failed", "--before=job1");
    assert.equal(await names(place), "job4 bad job1 job2 job3 good");
    await ok("queue", "move", "a", "--name=job[1-2]", "--after=good");
    assert.equal(await names(place), "job4 bad job3 good job1 job2");
    assert.equal(await ok("queue", "move", "a", "job2", "--last"), "INFO: No job to move.\n");
    const file = await Deno.readTextFile(`${place.directory}/experiment/a-queue.yaml`);
    assert.deepEqual(file.match(/^\w+(?=:)/gm), ["job4", "bad", "job3", "good", "job1", "job2"]);
    for (
      const [words, message] of [
        [["job1"], /^ERROR: Give one of --before, --after, --first and --last/],
        [["job1", "--first", "--last"], /^ERROR: Give one of/],
        [["--first"], /^ERROR: Cannot move jobs of queue a: say which/],
        [["job1", "--after=job1"], /^ERROR: Cannot move jobs after job1: it is one of them\n$/],
        [["job1", "--after=job9"], /^ERROR: Job "job9" does not exist in queue a\n$/],
      ] as const
    ) {
      const { status, err } = await run("queue", "move", "a", ...words);
      assert.match(err, message);
      assert.equal(status, 2);
    }
  });
});

Deno.test("queue reset takes every choice; without one, all that are not in end", async () => {
  await withJobs(async ({ ok, run }) => {
    assert.equal(await ok("queue", "reset", "a"), "No job status changes.\n");
    assert.equal(await ok("queue", "reset", "a", "--exit-code=4-9"), "No job status changes.\n");
    assert.equal(await ok("queue", "reset", "a", "--failed"), "bad \t old_status:end \t new_state:undefined\n\n");
    assert.equal(await ok("queue", "reset", "a", "--failed"), "No job status changes.\n");
    assert.match(await ok("queue", "reset", "a", "good"), /^good /);
    assert.equal((await run("queue", "reset", "a", "--status=gone")).status, 2);
  });
});

Deno.test("queue delete takes every choice, wants one, and shows it with --dry-run", async () => {
  await withJobs(async (place) => {
    const { ok, run } = place;
    const none = await run("queue", "delete", "a");
    assert.equal(none.status, 2);
    assert.match(none.err, /^ERROR: Cannot delete jobs of queue a: say which, such as .*\n$/);
    assert.equal(
      await ok("queue", "delete", "a", "--status=end", "--dry-run"),
      "INFO: Would delete 2 jobs, of which 0 ran: ['bad', 'good']\n",
    );
    assert.equal(await ok("queue", "delete", "a", "--failed"), "INFO: Deleting jobs: ['bad']\n");
    assert.equal(await ok("queue", "delete", "a", "--name=job2,job1"), "INFO: Deleting jobs: ['job2', 'job1']\n");
    assert.equal(await ok("queue", "delete", "a", "--where=name=x*"), "INFO: No job to delete.\n");
    assert.equal(await names(place), "job3 job4 good");
  });
});

Deno.test("what changes many jobs shows them with --dry-run, and changes none", async () => {
  await withJobs(async ({ ok, run, directory }) => {
    await ok("queue", "hold", "a", "job2");
    const file = `${directory}/experiment/a-queue.yaml`;
    const text = await Deno.readTextFile(file);
    const before = text.replace(/^(job4:[^]*?status: )undefined/m, "$1start");
    assert.notEqual(before, text);
    await Deno.writeTextFile(file, before);
    const dry = async (...words: string[]): Promise<string> => await ok("queue", ...words, "--dry-run");
    assert.equal(await dry("hold", "a", "--name=job[1-2]"), "INFO: Would hold jobs: ['job1']\n");
    assert.equal(await dry("release", "a"), "INFO: Would release jobs: ['job2']\n");
    assert.equal(await dry("move", "a", "good", "--first"), "INFO: Would move jobs: ['good']\n");
    assert.equal(
      await dry("kill", "a", "job1,job4"),
      "INFO: Would kill jobs: ['job4']\nINFO: They do not run: ['job1']\n",
    );
    assert.equal(await dry("reset", "a", "good"), "INFO: Would reset jobs: ['good']\n");
    assert.equal(await dry("reset", "a", "job1"), "INFO: No job to reset.\n");
    assert.equal((await run("queue", "reset", "a", "none", "--dry-run")).status, 1);
    assert.equal(await Deno.readTextFile(file), before);
  });
});

Deno.test("queue delete asks on a terminal before it deletes more than twenty jobs that ran", async () => {
  await withPlace(async (place) => {
    const { ok, deps, directory } = place;
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=job[1-21]", "--command=true", "--status=end");
    const file = `${directory}/experiment/a-queue.yaml`;
    await Deno.writeTextFile(file, (await Deno.readTextFile(file)).replaceAll("attempt: 0", "attempt: 1"));
    const typed = async (answers: string[], ...words: string[]): Promise<[number, string[], string]> => {
      const io = new Editing((text) => text, answers);
      const status = await cms(["queue", "delete", "a", ...words], deps, io);
      return [status, io.asked, (await names(place)).split(" ").filter(Boolean).length + " left"];
    };
    assert.deepEqual(await typed(["n"], "--status=end"), [1, ["Delete them? [y/N] "], "21 left"]);
    assert.deepEqual(await typed([], "--status=end"), [1, ["Delete them? [y/N] "], "21 left"]);
    assert.deepEqual(await typed([], "--name=job[1-1]"), [0, [], "20 left"]);
    await ok("queue", "add", "a", "--name=job1", "--command=true");
    assert.deepEqual(await typed(["y"], "--where=name=job*"), [0, [], "0 left"]);
  });
});

Deno.test("queue edit takes what an editor made of the jobs, field by field", async () => {
  await withJobs(async (place) => {
    const { deps, ok } = place;
    const io = new Editing((text) => {
      assert.match(text, /^# Jobs of queue a\./);
      assert.deepEqual(text.match(/^\w+(?=:)/gm), ["job1", "job2", "job3"]);
      const entries = text.split(/^(?=job)/m).slice(1);
      const added = entries[0]!.replace("job1:", "more:").replace("command: 'true'", "command: date");
      const changed = entries[2]!.replace("command: 'true'", "command: hostname") + "  priority: 7\n";
      return changed + entries[0] + added; // job2 is gone, job3 comes first, one is a copy.
    });
    assert.equal(await cms(["queue", "edit", "a", "job[1-3]"], deps, io), 0);
    assert.match(io.text("out"), /Edit of queue a: changed job3; added more; deleted job2; order changed\n$/);
    const rows = await jobs(place);
    assert.deepEqual(rows.map(({ name, command }) => `${name} ${command}`), [
      "job3 hostname",
      "job1 true",
      "more date",
      "job4 true",
      "bad true",
      "good true",
    ]);
    assert.equal(rows[0]?.priority, 7);
    assert.equal(new Set(rows.map(({ id }) => id)).size, 6);
    assert.deepEqual(await filesIn(`${place.directory}/experiment`), ["a-queue.yaml"]);
    const left = (await Array.fromAsync(Deno.readDir(`${place.directory}/experiment`))).map(({ name }) => name);
    assert.equal(left.some((name) => name.includes("edit")), false);
    const same = new Editing((text) => text);
    assert.equal(await cms(["queue", "edit", "a"], deps, same), 0);
    assert.match(same.text("out"), / Nothing was changed\.\n$/);
    await ok("queue", "list", "a");
  });
});

Deno.test("queue edit keeps what others did meanwhile, and says what it did not take", async () => {
  await withJobs(async (place) => {
    const { deps, ok } = place;
    const during = new Editing((text) => text.replaceAll("command: 'true'", "command: hostname"));
    const edit = during.edit;
    Object.assign(during, {
      edit: async (command: string, path: string) => {
        await ok("queue", "set", "a", "job1", "--set=priority=3");
        await ok("queue", "delete", "a", "--name=job2");
        return await edit(command, path);
      },
    });
    assert.equal(await cms(["queue", "edit", "a", "job[1-2]"], deps, during), 1);
    assert.match(during.text("err"), /Edit of job job2 was not taken: it was deleted or replaced meanwhile/);
    const [first, second] = await jobs(place);
    assert.deepEqual([first?.command, first?.priority, second?.name], ["hostname", 3, "job3"]);
  });
});

Deno.test("queue edit refuses a text that cannot be read with its line, asks again, and loses nothing", async () => {
  await withJobs(async (place) => {
    const { deps, directory } = place;
    const before = JSON.stringify(await jobs(place));
    let turn = 0;
    const broken = (text: string): string => {
      turn++;
      return turn === 1 ? text.replace("command:", "priority: high\n  command:") : `${text}  remark: [\n`;
    };
    const io = new Editing(broken, ["", "n"]);
    assert.equal(await cms(["queue", "edit", "a", "job1"], deps, io), 2);
    assert.deepEqual(io.asked, ["Edit it again? [Y/n] ", "Edit it again? [Y/n] "]);
    const text = io.text("err");
    assert.match(text, /\.a-queue\.edit\.[0-9a-f]+\.yaml:\d+: .*priority/);
    const [, kept = ""] = /the text is kept in \.\/(experiment\/\S+)/.exec(text) ?? [];
    assert.match(await Deno.readTextFile(`${directory}/${kept}`), /priority: high[^]*remark: \[/);
    assert.equal(JSON.stringify(await jobs(place)), before);
    const failing = new Editing(() => 3);
    assert.equal(await cms(["queue", "edit", "a"], deps, failing), 2);
    assert.match(failing.text("err"), /Nothing was changed: "vi" ended with exit status 3\n/);
    const pipe = await place.run("queue", "edit", "a");
    assert.deepEqual(
      [pipe.status, pipe.err],
      [2, "ERROR: Cannot edit: there is no terminal; name a program that edits a file in EDITOR\n"],
    );
  });
});
