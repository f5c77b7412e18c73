/** `GET /queue/{queue}/live`: how a queue stands, found out once for all who look. */
import assert from "node:assert/strict";
import { waitUntil } from "../../../testing/wait.ts";
import { withService } from "../../../testing/service/service.ts";
import { Reading } from "../sse.ts";

const isOf = (count: number) => ({ data }: { data: { total: number } }): boolean => data.total === count;

Deno.test("a page hears how a queue stands, goes on with the last id, and its stream ends with the queue", async () => {
  await withService(async (t) => {
    await t.text("POST /queue/?name=a");
    await t.text("POST /queue/a?name=job[1-3]&command=true");
    const open = async (id?: string) =>
      new Reading(await t.ask("GET /queue/a/live", id === undefined ? {} : { headers: { "last-event-id": id } }));
    const [one, other] = [await open(), await open()];
    const first = await one.waitFor(isOf(3));
    assert.deepEqual(
      [first.type, first.data.counts.undefined, first.data.kept, first.data.run, first.data.rate],
      ["status", 3, 0, null, null],
    );
    assert.deepEqual(await other.waitFor(isOf(3)), first);
    await one.close();

    const again = await open(other.events.at(-1)!.id);
    await t.text("PUT /queue/a/hold?name=job1");
    await t.text("POST /queue/a?name=job4&command=false");
    const next = await again.waitFor(isOf(4));
    // What it had already was not sent again.
    assert.ok(again.events.every(({ id }) => id !== first.id));
    assert.deepEqual(await other.waitFor(({ id }) => id === next.id), next);
    await other.waitFor(({ data }) => data.kept === 1);
    // An id of nobody: all of it.
    const stranger = await open("1f0c3a7e-99");
    await stranger.waitFor(isOf(4));

    // What cannot be read is told, and that it can again.
    const file = `${t.directory}/experiment/a-queue.yaml`;
    const text = await Deno.readTextFile(file);
    const isBroken = (why: RegExp) => ({ type, data }: { type: string; data: { detail: string } }) =>
      type === "unreadable" && why.test(data.detail);
    const whole = (number: number) => Math.max(...other.events.map(({ id }) => Number(id.split("-")[1]))) > number;
    await Deno.writeTextFile(file, "job1: [\n");
    const { id } = await other.waitFor(isBroken(/experiment\/a-queue\.yaml:\d+: /));
    await Deno.truncate(file, 300 * 1024 * 1024);
    await other.waitFor(
      isBroken(
        /experiment\/a-queue\.yaml: cannot read: it is larger than 256 MiB, the most that is served: split it, or use commands$/,
      ),
    );
    await Deno.writeTextFile(file, text);
    await waitUntil("the status", () => other.events.at(-1)!.type === "status" && whole(Number(id.split("-")[1])));

    assert.equal((await t.ask("GET /queue/b/live")).status, 404);
    await t.text("DELETE /queue/a");
    for (const reading of [other, again, stranger]) await waitUntil("the end", () => reading.over === "end");
  });
});

Deno.test("each of several streams of live queues ends with the service; of too many queues one more is refused", async () => {
  await withService(async (t) => {
    for (const name of ["a", "b"]) await t.text(`POST /queue/?name=${name}`);
    // Memory is short, so that no page may look at a large queue.
    await Deno.writeTextFile(`${t.directory}/experiment/large-queue.yaml`, `#${"x".repeat(3_000_000)}\n{}\n`);
    assert.equal((await t.ask("GET /queue/large/live")).status, 503);
    const readings = [];
    for (let i = 0; i < 3; i++) readings.push(new Reading(await t.ask("GET /queue/a/live")));
    for (const reading of readings) await reading.waitFor(isOf(0));
    assert.equal((await t.ask("GET /queue/b/live")).status, 503);
    for (const reading of readings.splice(0)) await reading.close();
    for (const name of ["b", "b"]) readings.push(new Reading(await t.ask(`GET /queue/${name}/live`)));
    for (const reading of readings) await reading.waitFor(isOf(0));
    t.stop();
    for (const reading of readings) await waitUntil("the end", () => reading.over === "end");
  }, () => ({ mostFiles: 16, memory: () => 1e9 }));
});
