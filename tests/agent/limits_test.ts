/**
 * Time limits as a host keeps them by itself: what ends, how it is told, and that nothing is left of a timer.
 */

import assert from "node:assert/strict";
import type { TimeLimit } from "../../src/link/link.ts";
import { needTest, whyNoPrograms } from "../../testing/need.ts";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, endOf, isAlive, type Place, SHELLS, start, withPlace } from "./support.ts";

const limit = (ms: number, graceMs = 100): TimeLimit => ({ ms, graceMs, text: `${ms}ms` });
const FAR = limit(3_600_000);
/** Ignores TERM, and has a child in a session of its own. */
const DEAF = "trap '' TERM; setsid sleep 300 & while :; do sleep 0.1; done";

/** Processes of the timers of a job, dead or alive. */
async function timers(place: Place, job: string): Promise<number[]> {
  const text = await place.file(job, `.limit.${attempt(job).attempt}`);
  return text.split("\n").slice(1).filter((line) => line !== "").map((line) => Number(line.split(" ")[0]));
}

async function areGone(place: Place, job: string): Promise<void> {
  await waitUntil("the timers' end", async () => {
    const alive = await Promise.all((await timers(place, job)).map(isAlive));
    return !alive.includes(true);
  });
}

for (const shell of SHELLS) {
  const limitTest = (name: string, body: (place: Place) => Promise<void>): void =>
    needTest(`limits: ${shell}: ${name}`, whyNoPrograms(shell.split(" ")[0]!, "setsid"), () => withPlace(shell, body));

  limitTest("what is over its limit is ended whole, in a backlog too, and all ways tell why", async (place) => {
    const { link, event } = await place.connect();
    link.backlog(5, { type: "open", slots: [0] });
    link.start([
      start("polite", "exec sleep 300", { limit: limit(300, 60_000) }),
      // Long enough for its trap to stand, also on a busy machine.
      start("deaf", DEAF, { limit: limit(2000) }),
      start("inline", "sleep 300", { backlog: 5, limit: limit(200) }),
      start("waits", "sleep 300", { backlog: 5, limit: limit(200) }),
      start("quick", "exit 3", { limit: FAR }),
      start("dies", "kill -9 $$", { limit: FAR }),
      start("plain", "exit 4"),
    ]);
    for (const [job, code] of [["polite", 143], ["deaf", 137], ["inline", 143], ["waits", 143]] as const) {
      const ended = await event("ended", job);
      const text = { polite: "300ms", deaf: "2000ms", inline: "200ms", waits: "200ms" }[job];
      assert.deepEqual([ended.state, ended.exitCode, ended.limit], ["kill", code, text], job);
      assert.match(await place.file(job, ".log"), new RegExp(`# time limit: ${text}\n# cloudmesh state: kill\n$`));
      const state = await endOf(link, attempt(job));
      assert.ok(state?.type === "ended" && state.state === "kill" && state.limit === text, JSON.stringify(state));
    }
    const left = async () => (await link.marks()).filter((mark) => mark.attempt === attempt("deaf").attempt);
    await waitUntil("the end of what left the group", async () => (await left()).length === 0);
    const quick = await event("ended", "quick");
    assert.deepEqual([quick.state, quick.exitCode, quick.limit], ["end", 3, undefined]);
    const dies = await event("ended", "dies");
    assert.deepEqual([dies.state, dies.exitCode, dies.limit], ["crash", 137, undefined]);
    for (const job of ["quick", "dies", "deaf"]) await areGone(place, job);
    await event("ended", "plain");
    const files = (await Array.fromAsync(Deno.readDir(`${place.directory}/plain`))).map(({ name }) => name).sort();
    assert.deepEqual(files, [
      ".cms",
      "plain-nohup.log",
      "plain.log",
      "plain.out",
      "plain.pid",
      "plain.run",
      "plain.sh",
    ]);
    assert.deepEqual(await link.remove([attempt("deaf"), attempt("quick")]), ["removed", "removed"]);
  });

  limitTest("it is kept without a link and without a wrapper, and a later agent hears why", async (place) => {
    const first = await place.connect();
    first.link.start([start("job1", DEAF, { limit: limit(1_000) }), start("job2", DEAF, { limit: limit(1_000) })]);
    await first.event("started", "job1");
    const { pid } = await first.event("started", "job2");
    const wrapper = Number((await place.file("job2", ".run")).split(" ")[2]);
    Deno.kill(wrapper, "SIGKILL");
    await first.link.close();
    await waitUntil("the job's end", async () => !await isAlive(pid));
    const { link } = await place.connect();
    const states = await waitUntil("both ends", async () => {
      const states = await link.ask([attempt("job1"), attempt("job2")]);
      return states.every(({ type }) => type === "ended") ? states : null;
    });
    for (const state of states ?? []) {
      assert.ok(state.type === "ended" && state.state === "kill" && state.limit === "1000ms");
    }
    assert.match(await place.file("job2", ".log"), /# time limit: 1000ms\n# cloudmesh state: kill\n$/);
  });

  limitTest("it can be set, moved and taken away while the job runs; a person's kill gives no limit", async (place) => {
    const { link, event } = await place.connect();
    link.start([
      start("later", "exec sleep 300"),
      start("sooner", "exec sleep 300", { limit: FAR }),
      start("never", "exec sleep 300", { limit: limit(1_500) }),
      start("killed", "exec sleep 300", { limit: FAR }),
    ]);
    for (const job of ["later", "sooner", "never", "killed"]) await event("started", job);
    await link.setLimits([
      { ...attempt("later"), limit: limit(1) },
      { ...attempt("sooner"), limit: limit(2) },
      { ...attempt("never"), limit: null },
      { ...attempt("killed"), limit: FAR },
    ]);
    assert.deepEqual((await event("ended", "later")).limit, "1ms");
    assert.deepEqual((await event("ended", "sooner")).limit, "2ms");
    await link.kill([attempt("killed")], { graceMs: 1_000 });
    const killed = await event("ended", "killed");
    assert.deepEqual([killed.state, killed.limit], ["kill", undefined]);
    assert.equal((await timers(place, "killed")).length, 1);
    for (const job of ["sooner", "never", "killed"]) await areGone(place, job);
    assert.equal((await link.ask([attempt("never")]))[0]?.type, "alive");
    // What is over is left alone.
    await link.setLimits([{ ...attempt("killed"), limit: limit(1) }]);
    await link.kill([attempt("never")], { graceMs: 1_000 });
  });
}
