/** Server-Sent Events. */
import assert from "node:assert/strict";
import { queueRef } from "../../../src/operations/refs.ts";
import { makeApp } from "../../../src/service/app.ts";
import { openQueue } from "../../../src/store/queue_file.ts";
import { put, set } from "../../store/support.ts";
import { waitUntil } from "../../../testing/wait.ts";
import { addJobs, withRuns } from "../runs_support.ts";
import { Reading } from "../sse.ts";
import { StillClock } from "../still_clock.ts";
import { RIGHT, type TestService, withService } from "../../../testing/service/service.ts";

async function open(t: TestService, query = "", lastId?: string): Promise<Reading> {
  const headers: Record<string, string> = lastId === undefined ? {} : { "last-event-id": lastId };
  return new Reading(await t.ask(`GET /events${query}`, { headers }));
}

/** What comes after the stream's beginning has been read: a job that is added last says that all before it is there. */
async function flush(t: TestService, reading: Reading, job: string): Promise<void> {
  await addJobs(t, job, "true");
  await reading.waitFor((event) => event.type === "job_added" && event.data.job === job);
}

Deno.test("GET /events tells a run from its start to its end", async () => {
  await withRuns(async (t) => {
    await addJobs(t, "job[1-2]", "true");
    const reading = await open(t);
    const { data } = await reading.waitFor(({ type }) => type === "reset");
    assert.deepEqual(data, {
      queue: "a",
      experiment: "experiment",
      run: null,
      jobs: { job1: "ready", job2: "ready" },
    });
    const { pid } = await t.json("PUT /queue/a/run_fifo?max_parallel=1");
    await reading.waitFor(({ type }) => type === "run_end");
    assert.deepEqual(reading.lines.filter((line) => !line.startsWith("host_")), [
      "run_start",
      "job1 ready run",
      "job1 run start",
      "job1 start end",
      "job2 ready run",
      "job2 run start",
      "job2 start end",
      "run_end",
    ]);
    assert.ok(reading.lines.includes("host_up me@localhost"));
    const end = reading.events.find(({ data }) => data.job === "job2" && data.to === "end")!;
    assert.deepEqual([end.data.exit_code, end.data.attempt, end.data.machine], [0, 1, "me@localhost"]);
    assert.equal(reading.events.at(-1)?.data.pid, pid);
    assert.equal(new Set(reading.events.map(({ id }) => id)).size, reading.events.length);
    await reading.close();
  });
});

Deno.test("GET /events tells of a host that does not answer", async () => {
  await withRuns(async (t) => {
    await t.text("POST /queue/a?name=far&command=true&user=me&host=nowhere.invalid");
    const reading = await open(t);
    await t.json("PUT /queue/a/run_fifo?max_parallel=1");
    await reading.waitFor(({ type, data }) => type === "host_down" && data.machine === "me@nowhere.invalid");
    await reading.close();
  });
});

Deno.test("a client that comes back with an id gets what it missed, and nothing twice", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    const first = await open(t);
    await flush(t, first, "job1");
    const { id } = first.events.at(-1)!;
    await first.close();
    await addJobs(t, "job2", "true");
    await t.text("DELETE /queue/a/job/job1?name=job1");
    const second = await open(t, "", id);
    await flush(t, second, "job3");
    assert.deepEqual(second.lines, ["job_added job2", "job_deleted job1", "job_added job3"]);
    assert.ok(second.events.every(({ type }) => type !== "reset"));
    await second.close();
  });
});

Deno.test("an id of an earlier service goes on from the journal, or from the state where that journal is gone", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    const store = await openQueue(t.deps, queueRef(t.deps, { queue: "a" }));
    const add = (name: string) => store.commit(() => [put(name)]);
    /** A service that was started just now. */
    const later = async (lastId: string): Promise<Reading> => {
      const app = makeApp({ ...t.service });
      const headers = { authorization: RIGHT, "last-event-id": lastId };
      return new Reading(await app.request("/events", { headers }, { remote: "127.0.0.1" }));
    };
    await add("job1");
    const first = await open(t);
    await first.waitFor(({ type }) => type === "reset");
    await add("job2");
    const { id } = await first.waitFor(({ data }) => data.job === "job2");
    await add("job3");
    await store.commit(() => [set("job1", { status: "run" })]);

    const second = await later(id);
    await add("job4");
    await second.waitFor(({ data }) => data.job === "job4");
    assert.deepEqual(second.lines, ["job_added job3", "job1 undefined run", "job_added job4"]);
    assert.ok(second.events.every(({ type }) => type !== "reset"));

    await store.checkpoint("always");
    const third = await later(id);
    const { data } = await third.waitFor(({ type }) => type === "reset");
    assert.deepEqual(data.jobs, { job1: "run", job2: "undefined", job3: "undefined", job4: "undefined" });
    assert.equal(third.events.length, 1);

    // The first service has seen all of it.
    const fourth = await open(t, "", id);
    await add("job5");
    await fourth.waitFor(({ data }) => data.job === "job5");
    assert.deepEqual(fourth.lines, ["job_added job3", "job1 undefined run", "job_added job4", "job_added job5"]);
    store.close();
    for (const reading of [first, second, third, fourth]) await reading.close();
  });
});

Deno.test("GET /events of one queue tells of no other; without a queue or directory it is 404", async () => {
  await withService(async (t) => {
    for (const name of ["a", "b"]) await t.text(`POST /queue/?name=${name}`);
    const reading = await open(t, "?queue=a-queue.yaml");
    await t.text("POST /queue/b?name=other&command=true");
    await flush(t, reading, "job1");
    assert.deepEqual(reading.events.map(({ type, data }) => `${type} ${data.queue}`), ["reset a", "job_added a"]);
    for (const query of ["?queue=x", "?experiment=nowhere"]) {
      const response = await t.ask(`GET /events${query}`);
      assert.equal(response.status, 404, query);
      await response.body?.cancel();
    }
    await reading.close();
  });
});

Deno.test("GET /events tells of queues that come and go", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    const reading = await open(t);
    await reading.waitFor(({ type }) => type === "reset");
    await t.text("POST /queue/?name=b");
    await reading.waitFor(({ type, data }) => type === "queue_added" && data.queue === "b");
    await t.text("DELETE /queue/b");
    await reading.waitFor(({ type, data }) => type === "queue_deleted" && data.queue === "b");
    await reading.close();
  });
});

Deno.test("streams of events end with the service", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    const reading = await open(t);
    await reading.waitFor(({ type }) => type === "reset");
    t.stop();
    await waitUntil("the end of the stream", () => reading.over === "end");
  });
});

Deno.test("a client that takes nothing is cut off, and the others get all", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    const slow = await t.ask("GET /events");
    const quick = await open(t);
    const streams = async () => Number(/^cms_event_streams\{[^}]*\} (\d+)$/m.exec(await t.text("GET /metrics"))?.[1]);
    assert.equal(await streams(), 2);
    for (let i = 0; i < 10 && await streams() === 2; i++) {
      await addJobs(t, `x${i}-[1-4000]`, "true");
      await quick.waitFor(({ data }) => data.job === `x${i}-4000`);
    }
    assert.equal(await streams(), 1);
    assert.equal(quick.over, null);
    await assert.rejects(slow.text(), /too slow/);
    await quick.close();
  });
});

Deno.test("an idle stream gets a comment every 15 seconds, and ends when nothing of it is taken", async () => {
  const clock = new StillClock();
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    const body = (await t.ask("GET /events")).body!.getReader();
    const stalled = await t.ask("GET /events");
    assert.match(new TextDecoder().decode((await body.read()).value), /^event: reset$/m);
    for (let i = 0; i < 2; i++) {
      await waitUntil("the timer of the comments", () => clock.waits(15_000));
      clock.pass(15_000);
      assert.equal(new TextDecoder().decode((await body.read()).value), ": keep-alive\n\n");
    }
    await assert.rejects(stalled.text(), /too slow/);
    await body.cancel();
  }, ({ deps }) => ({ deps: { ...deps, clock } }));
});
