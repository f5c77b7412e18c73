/** Claims of other machines in a shared home, as the agent takes them in each shell. */

import assert from "node:assert/strict";
import { attemptInTheWay } from "../../src/agent/attempt.ts";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, type Place, QUEUE_ID, SHELLS, start, withPlace } from "./support.ts";

const MACHINE = "other+0a1b2c3d";

/** A job's directory in which another machine has claimed an attempt; `rest` is what follows the third line. */
async function claimOf(place: Place, job: string, rest: string): Promise<void> {
  const at = `${place.directory}/${job}`;
  await Deno.mkdir(at, { recursive: true });
  await Deno.writeTextFile(`${at}/.cms`, "");
  const { attempt: id } = attempt(job);
  const first = `${id} 11111111-2222-3333-4444-555555555555.1.1 4711 999999999999 ${QUEUE_ID}/${MACHINE} ${job}.sh .`;
  await Deno.writeTextFile(`${at}/${job}.run`, `${first}\n${at}/${job}.log\n${at}/${job}.out\n${rest}`);
  await Deno.writeTextFile(
    `${at}/${job}.log`,
    `# cloudmesh state: start\n# date: 2026-01-01T00:00:00Z\n# attempt: ${id}\n`,
  );
}

for (const shell of SHELLS) {
  Deno.test(`agent in ${shell} takes a claim of another machine for neither dead nor its own`, () =>
    withPlace(shell, async (place) => {
      const { link, event } = await place.connect();
      for (const job of ["runs", "claimed"]) {
        await claimOf(place, job, job === "runs" ? "P 4712 999999999999 1767225600000 .\n" : "");
        assert.deepEqual(await link.ask([attempt(job)]), [{ type: "away", machine: MACHINE }]);
        assert.deepEqual(await link.forbid([attempt(job)]), [{ type: "away", machine: MACHINE }]);
        assert.deepEqual(await link.remove([attempt(job)]), ["away"]);
        assert.deepEqual(await link.kill([attempt(job)], { graceMs: 0 }), [{ type: "away", machine: MACHINE }]);
        assert.doesNotMatch(await place.file(job, ".log"), /crash|kill/);
      }
      // No later attempt starts beside it.
      link.start([start("runs", "true", { number: 2 })]);
      assert.equal(attemptInTheWay((await event("refused", "runs")).reason), attempt("runs").attempt);

      // Its end comes by the log, to whoever looks.
      const end = "# date: 2026-01-01T00:00:10Z\n# exit: 3\n# cloudmesh state: end\n";
      await Deno.writeTextFile(`${place.directory}/runs/runs.log`, end, { append: true });
      const { state, exitCode, attempt: of } = await event("ended", "runs");
      assert.deepEqual([state, exitCode, of], ["end", 3, attempt("runs").attempt]);
      assert.equal((await link.ask([attempt("runs")]))[0]?.type, "ended");
    }));

  Deno.test(`agent in ${shell} knows a job whose claim or directory somebody removed by its mark, and by its log`, () =>
    withPlace(shell, async (place) => {
      // Other numbers in each shell: what a failure leaves running carries a mark.
      const number = 1 + SHELLS.indexOf(shell);
      const at = (job: string) => attempt(job, number);
      const wait = "while [ ! -e ../../go ]; do sleep 0.05; done; exit 3";
      const first = await place.connect();
      const jobs = ["cut", "gone", "killed"];
      first.link.start([...jobs.map((job) => start(job, wait, { number })), start("over", "exit 4", { number })]);
      const pids = new Map<string, number | null>();
      for (const job of jobs) pids.set(job, (await first.event("started", job)).pid);
      await first.event("ended", "over");
      await first.link.close();
      for (const job of ["cut", "over", "killed"]) await Deno.remove(`${place.directory}/${job}/${job}.run`);
      await Deno.remove(`${place.directory}/gone`, { recursive: true });

      const looker = await place.connect({ role: "onlooker" });
      for (const job of jobs) {
        const [state] = await looker.link.ask([at(job)]);
        assert.deepEqual([state?.type, state?.type === "alive" && state.pid], ["alive", pids.get(job)], job);
      }
      assert.ok(!(await Array.fromAsync(Deno.readDir(place.directory))).some(({ name }) => name === "gone"));
      const { link, event } = await place.connect();
      for (const job of jobs) assert.equal((await link.ask([at(job)]))[0]?.type, "alive", job);
      const [over] = await link.ask([at("over")]);
      assert.deepEqual([over?.type, over?.type === "ended" && over.exitCode], ["ended", 4]);
      const [killed] = await link.kill([at("killed")], { graceMs: 0 });
      assert.deepEqual([killed?.type, killed?.type === "ended" && killed.state], ["ended", "kill"]);
      await Deno.writeTextFile(`${place.home}/go`, "");
      for (const job of ["cut", "gone"]) {
        const { state, exitCode } = await event("ended", job);
        assert.deepEqual([state, exitCode], ["end", 3], job);
        // Its wrapper lives a moment longer than its end is known.
        await waitUntil("the end by its log", async () => (await link.ask([at(job)]))[0]?.type === "ended");
      }
      assert.deepEqual(await link.ask([at("never")]), [{ type: "none" }]);
    }));

  Deno.test(`agent in ${shell} waits for its turn to begin, and leaves one alone that leads to the same place`, () =>
    withPlace(shell, async (place) => {
      const places: string[] = [];
      const first = await place.connect({ admit: (at) => places.push(at) > 0 });
      const second = await place.connect({ admit: (at) => !places.includes(at) }).catch((error) => error);
      assert.match(second.message, /another link leads to the same machine/);
      first.link.start([start("job1", "exit 4")]);
      assert.equal((await first.event("ended", "job1")).exitCode, 4);
      assert.ok(!first.events.some(({ type }) => type === "down"));
    }));
}
