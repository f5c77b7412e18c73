/** Looks at the jobs of a machine that leave no trace there, in all shells. */
import assert from "node:assert/strict";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, isAlive, type Place, run, SHELLS, start, withPlace } from "./support.ts";

/** Every path below a directory with what `ls` knows of it but the time of the last reading, and the bytes of files. */
function everything(directory: string): Promise<string> {
  const look = 'find . -printf "%p %i %s %T@ %C@\\n" | sort; find . -type f | sort | xargs -r sha256sum';
  return run("sh", "-c", `cd "$1" && ${look}`, "sh", directory);
}

/** What the test of the jobs comes to. */
async function lookAround(place: Place, pid: { runs: number; orphan: number; early: number }): Promise<void> {
  const before = await everything(place.home);
  const onlooker = await place.connect({ role: "onlooker" });
  const jobs = ["done", "runs", "orphan", "gone", "early", "never", "absent"];
  const states = await onlooker.link.ask(jobs.map((job) => attempt(job)));
  assert.deepEqual(
    states.map((state) => [state.type, "pid" in state ? state.pid : null]),
    [
      ["ended", null],
      ["alive", pid.runs],
      ["alive", pid.orphan],
      ["crashed", null],
      ["alive", pid.early],
      ["forbidden", null],
      ["none", null],
    ],
  );
  assert.deepEqual((await onlooker.link.ask([attempt("runs", 2)]))[0], {
    type: "other",
    attempt: attempt("runs").attempt,
    alive: true,
  });
  const out = await onlooker.link.read(attempt("done"), "done.log", { maxBytes: 1000 });
  assert.match(new TextDecoder().decode(out ?? undefined), /# exit: 3\n/);
  await assert.rejects(onlooker.link.kill([attempt("runs")], { graceMs: 0 }), /changes nothing/);
  await assert.rejects(onlooker.link.remove([attempt("runs")]), /changes nothing/);
  await assert.rejects(onlooker.link.forbid([attempt("absent")]), /changes nothing/);
  assert.throws(() => onlooker.link.prepare([attempt("absent").job]), /changes nothing/);
  assert.throws(() => onlooker.link.start([start("absent", "true")]), /starts nothing/);
  await onlooker.link.close();
  assert.equal(await everything(place.home), before);
  assert.ok((await Deno.stat("/dev/null")).isCharDevice, "/dev/null is still there");
}

for (const shell of SHELLS) {
  Deno.test(`an onlooker in ${shell} tells what every attempt is, and changes nothing`, () =>
    withPlace(shell, async (place) => {
      const { link, event } = await place.connect();
      link.start([start("done", "exit 3"), start("runs", "sleep 300"), start("orphan", "sleep 300")]);
      const variables = { NOTE: "A=1\nCMS_SLOT=7", OTHER: "\nCMS_SLOT=8\n", CMS_SLOT: "6" };
      link.start([start("gone", "sleep 300"), start("early", "sleep 300", { variables })]);
      await event("ended", "done");
      const pid = { runs: 0, orphan: 0, gone: 0, early: 0 };
      for (const job of ["runs", "orphan", "gone", "early"] as const) pid[job] = (await event("started", job)).pid;
      await link.forbid([attempt("never")]);
      await link.close();
      // Wrapper and job vanish together, so that nobody has written an end; or the wrapper alone.
      const wrapperOf = async (job: string) => Number((await place.file(job, ".run")).split(" ")[2]);
      const wrappers = await Promise.all(["orphan", "gone", "early"].map(wrapperOf));
      for (const one of [...wrappers, -pid.gone]) Deno.kill(one, "SIGKILL");
      for (const one of [...wrappers, pid.gone]) await waitUntil(`the end of ${one}`, async () => !await isAlive(one));
      // As if the wrapper had been ended before it could write down the job's pid.
      const claim = `${place.directory}/early/early.run`;
      await Deno.writeTextFile(claim, (await place.text(claim)).replace(/^P .*\n/m, ""));
      try {
        await lookAround(place, pid);
      } finally {
        const visitor = await place.connect({ role: "visitor" });
        for (const when of ["found by its mark", "by the claim that was written then"]) {
          const [state] = await visitor.link.ask([attempt("early")]);
          assert.deepEqual(state?.type === "alive" && [state.pid, state.slot], [pid.early, 6], when);
        }
        await visitor.link.kill(["runs", "orphan", "early"].map((job) => attempt(job)), { graceMs: 2000 });
      }
    }));

  Deno.test(`an onlooker in ${shell} makes no directory where there is none`, () =>
    withPlace(shell, async (place) => {
      const { link } = await place.connect({ role: "onlooker" });
      assert.deepEqual(await link.ask([attempt("job1")]), [{ type: "none" }]);
      await link.close();
      assert.deepEqual(await Array.fromAsync(Deno.readDir(place.home)), []);
    }));
}
