/** `cms queue run --halt`, on localhost. */
import assert from "node:assert/strict";
import { type Place, withPlace } from "./harness.ts";

async function states({ ok }: Place): Promise<string[]> {
  const jobs = JSON.parse(await ok("queue", "list", "a", "--output=json")) as Record<string, string>[];
  return jobs.map(({ name, status }) => `${name} ${status}`);
}

async function withJobs(commands: readonly string[], use: (place: Place) => Promise<void>): Promise<void> {
  await withPlace(async (place) => {
    await place.ok("queue", "create", "a");
    for (const [i, command] of commands.entries()) {
      await place.ok("queue", "add", "a", `--name=job${i + 1}`, "--command", command);
    }
    await use(place);
  });
}

const run = (place: Place, slots: number, halt: string) =>
  place.run(
    "queue",
    "run",
    "fifo_multi",
    "a",
    `--hosts=${Array(slots).fill("localhost")}`,
    "--timeout=0.5",
    "--halt",
    halt,
  );

Deno.test("--halt=soon,fail=N starts nothing more after the Nth failure, waits for what runs, and names the rest", async () => {
  await withJobs(["true", "exit 3", "true", "exit 3", "true", "true"], async (place) => {
    const { status, err } = await run(place, 1, "soon,fail=2");
    assert.equal(status, 1);
    assert.match(
      err,
      /^WARNING: Halting \(soon,fail=2\), as 2 jobs failed: no new jobs are started, what runs is waited for: 0\.$/m,
    );
    assert.match(err, /^WARNING: Halted\. Waiting: 2\. To go on: cms queue run /m);
    assert.deepEqual((await states(place)).slice(3), ["job4 end", "job5 undefined", "job6 undefined"]);
  });
});

Deno.test("--halt=now,success=1 kills what runs, and the run has done what it was asked for", async () => {
  await withJobs(["sleep 60", "true", "true"], async (place) => {
    const { status } = await run(place, 2, "now,success=1");
    assert.equal(status, 0);
    assert.deepEqual(await states(place), ["job1 kill", "job2 end", "job3 undefined"]);
  });
});

Deno.test("--halt=soon,done=N% counts of all jobs, and is no failure", async () => {
  await withJobs(["true", "true", "true", "true", "true", "true"], async (place) => {
    assert.equal((await run(place, 1, "soon,done=50%")).status, 0);
    const ended = (await states(place)).filter((state) => state.endsWith(" end")).length;
    // A job that was prefetched may have been let in at that moment.
    assert.ok(ended === 3 || ended === 4, String(ended));
  });
});

Deno.test("a rule that cannot be used is refused before anything starts", async () => {
  await withJobs(["true"], async (place) => {
    const { status, err } = await run(place, 1, "soon,fail=0");
    assert.equal(status, 2);
    assert.match(err, /^ERROR: .*Cannot use "soon,fail=0" to halt: give soon or now, .*\n$/);
    assert.deepEqual(await states(place), ["job1 undefined"]);
  });
});
