/** Claims of other machines in a shared home, as the agent takes them in each shell. */

import assert from "node:assert/strict";
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
      assert.match((await event("refused", "runs")).reason, /another attempt of the job runs there/);

      // Its end comes by the log, to whoever looks.
      const end = "# date: 2026-01-01T00:00:10Z\n# exit: 3\n# cloudmesh state: end\n";
      await Deno.writeTextFile(`${place.directory}/runs/runs.log`, end, { append: true });
      const { state, exitCode, attempt: of } = await event("ended", "runs");
      assert.deepEqual([state, exitCode, of], ["end", 3, attempt("runs").attempt]);
      assert.equal((await link.ask([attempt("runs")]))[0]?.type, "ended");
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
