/** Waiting for jobs over REST. */
import assert from "node:assert/strict";
import { waitUntil } from "../../../testing/wait.ts";
import { addJobs, reach, withRuns } from "../runs_support.ts";

Deno.test("GET wait answers when jobs are over, and says how many failed", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-2]", "while ! test -e ../go; do sleep 0.05; done");
    await addJobs(t, "bad", "exit 3");
    await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
    const waited = t.json("GET /queue/a/wait?name=job[1-2],bad");
    const job1 = await t.ask("GET /queue/a/follow?name=job1");
    for (const timeout of ["1", "0.5s"]) {
      const early = await t.json(`GET /queue/a/wait?name=job1&timeout=${timeout}`);
      assert.deepEqual([early.outcome, early.pending], ["timeout", 1]);
    }
    await Deno.writeTextFile(`${t.directory}/experiment/go`, "");
    assert.deepEqual(await waited, { outcome: "there", there: 3, failed: 1, pending: 0, run: true, missing: [] });
    const chosen = await t.json("GET /queue/a/wait?where=exit_code=3&where=name~b&for=ended-well");
    assert.deepEqual([chosen.outcome, chosen.failed], ["never", 1]);
    const follows = await job1.text();
    assert.equal(job1.headers.get("content-type"), "text/event-stream; charset=utf-8");
    assert.equal(follows, 'retry: 2000\n\nevent: end\ndata: {"failed":0,"exit_code":0}\n\n');
    await reach(t, "job1 end", "job2 end", "bad end");
    await addJobs(t, "talks", "echo one; echo two >&2; sleep 0.1; echo '\u00e4'; exit 4");
    const none = await t.json("GET /queue/a/wait?name=talks&no_run=fail");
    assert.deepEqual([none.outcome, none.run], ["no_run", false]);
    const both = await t.ask("GET /queue/a/follow?name=talks,bad&file=both");
    const others = await Promise.all([1, 2, 3].map(() => t.ask("GET /queue/a/follow?name=talks")));
    const fifth = await t.ask("GET /queue/a/follow?name=talks");
    assert.deepEqual([fifth.status, ...others.map(({ status }) => status)], [503, 200, 200, 200]);
    await Promise.all([fifth, ...others].map(({ body }) => body?.cancel()));
    await waitUntil("a place for another", async () => {
      const next = await t.ask("GET /queue/a/follow?name=talks");
      await next.body?.cancel();
      return next.status === 200;
    });
    await t.json("PUT /queue/a/run_fifo_multi?cluster=c");
    const events = [...(await both.text()).matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data));
    const written = (file: string) => events.filter((one) => one.file === file).map(({ text }) => text).join("");
    assert.deepEqual([written("output"), written("error")], ["one\n\u00e4\n", "two\n"]);
    assert.deepEqual(events.at(-1), { failed: 2, exit_code: null });
    const texts = async (words: string): Promise<string> =>
      [...(await (await t.ask(`GET /queue/a/follow?name=talks&${words}`)).text()).matchAll(/"text":"([^"]*)"/g)]
        .map(([, text]) => text).join("");
    assert.deepEqual([await texts(""), await texts("tail=1"), await texts("all=true")], [
      "",
      "\u00e4\\n",
      "one\\n\u00e4\\n",
    ]);
    const refused = await t.ask("GET /queue/a/follow?tail=1&all=true");
    assert.deepEqual([refused.status, /give one of them/.test(await refused.text())], [422, true]);
  });
});

Deno.test("GET wait refuses conditions that are none, and queues that are not there", async () => {
  await withRuns(async (t) => {
    for (
      const [line, status] of [["/queue/a/wait?where=x", 422], ["/queue/b/wait", 404], ["/queue/b/follow", 404], [
        "/queue/a/follow?name=x",
        404,
      ], [
        "/queue/a/wait?status=done",
        422,
      ], ["/queue/a/wait?timeout=soon", 422]] as const
    ) {
      const response = await t.ask(`GET ${line}`);
      assert.equal(response.status, status, line);
      await response.body?.cancel();
    }
    for (const timeout of ["61", "61s", "1h"]) {
      const { detail: [{ msg }] } = await (await t.ask(`GET /queue/a/wait?timeout=${timeout}`)).json();
      assert.equal(msg, "longer than 1m", timeout);
    }
  });
});
