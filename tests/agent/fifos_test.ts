/**
 * The agent beside files that are no files: a job may put a fifo where its output, its log or a claim stood. Who opens
 * one waits for ever, so nothing may.
 */

import assert from "node:assert/strict";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, type Place, run, SHELLS, start, withPlace } from "./support.ts";

const FILES = ["job1.out", "job1.log", "job1.pid", "job1-nohup.log", "job1.run.fin", "job1.run.watch"];
/** What puts a fifo in place of each. */
const REPLACE = `for f in ${FILES.join(" ")}; do rm -f $f; mkfifo $f; done`;

for (const shell of SHELLS) {
  const agentTest = (name: string, body: (place: Place) => Promise<void>) =>
    Deno.test(`agent in ${shell} ${name}`, () => withPlace(shell, body));

  agentTest("starts nothing whose output, log or script is a fifo, and says why", async (place) => {
    const { link, event, events } = await place.connect();
    for (const [i, file] of ["job.out", "job.log", "job.sh", "job-nohup.log"].entries()) {
      const job = `job${i}`;
      const directory = `${place.directory}/${job}`;
      await Deno.mkdir(directory, { recursive: true });
      await run("mkfifo", `${directory}/${file.replace("job", job)}`);
      link.start([start(job, `echo >${place.home}/ran`)]);
      assert.match((await event("refused", job)).reason, /^cannot write .*: it is no regular file$/);
    }
    await assert.rejects(Deno.stat(`${place.home}/ran`));
    link.start([start("null", "echo lost; exit 3", { output: "/dev/null" })]);
    assert.equal((await event("ended", "null")).exitCode, 3, "what is written to /dev/null is gone by intent");
    assert.deepEqual(events.flatMap((one) => one.type === "started" ? [one.job] : []), ["null"]);
  });

  agentTest("tells the end of a job that puts fifos in place of its files", async (place) => {
    const { link, event } = await place.connect();
    link.start([start("job1", `${REPLACE}; exit 3`)]);
    const { state, exitCode } = await event("ended");
    assert.deepEqual([state, exitCode], ["end", 3]);
    const [known] = await link.ask([attempt("job1")]);
    assert.equal(known?.type, "crashed", "its log is gone, and no process");
    const { link: onlooker } = await place.connect({ role: "onlooker" });
    assert.equal((await onlooker.ask([attempt("job1")]))[0]?.type, "crashed");
    assert.equal(await onlooker.read(attempt("job1"), "job1.log", { maxBytes: 100 }), null);
    assert.deepEqual(await link.remove([attempt("job1")]), ["removed"]);
  });

  agentTest(
    "kills and removes a job that has put fifos in place of its files",
    (place) => endAndRemove(place, REPLACE),
  );
}

Deno.test("agent removes a job that has put a fifo in place of its claim", () =>
  withPlace("dash", (place) => endAndRemove(place, "rm job1.run; mkfifo job1.run")));

/** Runs a job that begins with `command`; kills it, and removes its directory. */
async function endAndRemove(place: Place, command: string): Promise<void> {
  const { link, event } = await place.connect();
  link.start([start("job1", `${command}; echo >${place.home}/there; exec sleep 300`)]);
  await event("started");
  await waitUntil("the fifos", () => place.text(`${place.home}/there`).then(() => true, () => false));
  const visitor = await place.connect({ role: "visitor" });
  await visitor.link.kill([attempt("job1")], { graceMs: 100 });
  assert.deepEqual(await visitor.link.remove([attempt("job1")]), ["removed"]);
  const left = (await visitor.link.marks()).filter((mark) => mark.attempt === attempt("job1").attempt);
  assert.deepEqual(left, []);
}
