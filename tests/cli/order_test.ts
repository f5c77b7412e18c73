/** Jobs that come after others, by the command line, on localhost. */
import assert from "node:assert/strict";
import { type Place, withPlace } from "./harness.ts";

async function states({ ok }: Place): Promise<string[]> {
  const jobs = JSON.parse(await ok("queue", "list", "a", "--output=json")) as Record<string, string>[];
  return jobs.map(({ name, status, reason }) => `${name} ${status}${status === "fail_start" ? ` (${reason})` : ""}`);
}

const RUN = ["queue", "run", "fifo_multi", "a", "--hosts=localhost,localhost", "--timeout=0.5"];

Deno.test("queue add --after-corr lets each job come after its own, and refuses lists of other lengths", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=prep[1-3],base", "--command=true");
    await ok("queue", "add", "a", "--name=train[1-3]", "--command=true", "--after-corr=prep[1-3]", "--after=base");
    const jobs = JSON.parse(await ok("queue", "list", "a", "--output=json")) as { after?: string[] }[];
    assert.deepEqual(jobs.slice(4).map(({ after }) => after), [1, 2, 3].map((i) => ["base", `prep${i}`]));
    const wrong = await run("queue", "add", "a", "--name=x[1-2]", "--command=true", "--after-corr=prep[1-3]");
    const said = "ERROR: Cannot add jobs each after its own: there are 2 names, and 3 in after_corr\n";
    assert.deepEqual([wrong.status, wrong.err], [2, said]);
    const missing = await run("queue", "add", "a", "--name=x", "--command=true", "--after-corr=none");
    assert.deepEqual([missing.status, missing.err], [2, "ERROR: Cannot add a job after none: not in the queue\n"]);
  });
});

Deno.test("a further try of a job finds the directory of the one before, and no warning says so", async () => {
  await withPlace(async ({ ok, run }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=j", "--command=exit 3", "--retries=1", "--retry-delay=1s", "--shell=sh");
    const { err } = await run(...RUN);
    assert.match(err, /^WARNING: Job j did not end well: exit code 3 on localhost\n$/);
    // No user is set: the host alone stands for the machine.
    const story = await ok("queue", "show", "a", "j");
    assert.match(story, /\nran on +localhost, try 2 of 2/);
    assert.match(story, /\ntry 1 +exit code 3 on localhost, /);
    assert.match(await ok("queue", "status", "a"), /\n {2}j: exit code 3 on localhost, /);
  });
});

Deno.test("a run counts dependents apart; reset of the parent lets them wait again, --cascade takes all along", async () => {
  await withPlace(async (place) => {
    const { ok, run, directory } = place;
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=prep", "--command", `test -e ${directory}/go`);
    await ok("queue", "add", "a", "--name=other", "--command=exit 4");
    await ok("queue", "add", "a", "--name=mid", "--command=true", "--after=prep");
    await ok("queue", "add", "a", "--name=end", "--command=true", "--after=mid");
    await ok("queue", "add", "a", "--name=both", "--command=true", "--after=prep,other");
    const failed = await run(...RUN);
    assert.equal(failed.status, 1);
    assert.match(failed.err, /^WARNING: Job mid is not started: prep failed \(exit code 1\)$/m);
    assert.match(failed.err, /^WARNING: Job prep did not end well: exit code 1 on /m);
    assert.match(failed.err, /^WARNING: Never started, because of jobs that they come after: 3 \(\[.*\]\)$/m);
    assert.doesNotMatch(failed.err, /Job mid did not end well/);
    await Deno.writeTextFile(`${directory}/go`, "");
    const reset = await ok("queue", "reset", "a", "--name=prep");
    assert.deepEqual(reset.split("\n").map((line) => line.split(" ")[0]).filter(Boolean), ["prep", "mid", "end"]);
    const [prep, , mid, end, both] = await states(place);
    assert.deepEqual([prep, mid, end], ["prep undefined", "mid undefined", "end undefined"]);
    assert.match(both!, /^both fail_start \(.* failed \(exit code \d\)\)$/);
    assert.equal(await ok(...RUN).then((out) => /Completed Jobs: \['prep', 'mid', 'end'\]/.test(out)), true);
    const again = await ok("queue", "reset", "a", "--name=prep", "--cascade");
    const names = again.split("\n").map((line) => line.split(" ")[0]).filter(Boolean);
    assert.deepEqual(names, ["prep", "mid", "end", "both"]);
  });
});

Deno.test("delete warns of jobs that come after what goes, check names them and circles, a run leaves them", async () => {
  await withPlace(async ({ ok, run, directory }) => {
    await ok("queue", "create", "a");
    await ok("queue", "add", "a", "--name=prep,one,two", "--command=true");
    await ok("queue", "add", "a", "--name=late", "--command=true", "--after=prep");
    const deleted = await run("queue", "delete", "a", "--name=prep");
    const warning = "WARNING: They come after jobs that are deleted now, and will not start: late\n";
    assert.deepEqual([deleted.status, deleted.err], [0, warning]);
    const file = `${directory}/experiment/a-queue.yaml`;
    const text = await Deno.readTextFile(file);
    const edited = text.replace(/^one:\n/m, "one:\n  after: [two]\n").replace(/^two:\n/m, "two:\n  after: [one]\n");
    await Deno.writeTextFile(file, edited);
    const check = await run("queue", "check", "a");
    assert.equal(check.status, 1);
    assert.match(check.err, /late waits for prep, which is not in the queue/);
    assert.match(check.err, /jobs wait for each other: (one after two after one|two after one after two)/);
    const left = await run(...RUN);
    assert.equal(left.status, 1);
    assert.match(left.err, /Left waiting: .*1 \(\['late'\]\) for prep, which is not in the queue/);
    assert.match(left.err, /2 \(\['one', 'two'\]\) for jobs that wait themselves/);
  });
});
