/**
 * Files that are put into a job's directory before it starts: a removal that was asked for before does not take them.
 */

import assert from "node:assert/strict";
import { waitUntil } from "../../testing/wait.ts";
import { attempt, type Place, type Recorded, SHELLS, start, withPlace } from "./support.ts";

/** Another job of the same name. */
const other = { ...attempt("job1"), attempt: `other${crypto.randomUUID().slice(0, 8)}.1` };

/** Sends the file `given` for an attempt. */
async function send({ home }: Place, { link }: Recorded, ref: ReturnType<typeof attempt>): Promise<void> {
  await Deno.writeTextFile(`${home}/given`, `for ${ref.attempt}\n`);
  assert.equal(await link.send({ ...ref, paths: [{ base: home, kept: "given" }] }, home), null);
}

/** Starts it; what it wrote when it has ended. */
async function result(place: Place, one: Recorded, request: ReturnType<typeof start>): Promise<string> {
  one.link.start([request]);
  await waitUntil("its end", async () => (await one.link.ask([request]))[0]?.type === "ended");
  return await place.file(request.job, ".out");
}

for (const shell of SHELLS) {
  const sentTest = (name: string, body: (place: Place) => Promise<void>) =>
    Deno.test(`sent files in ${shell}: ${name}`, () => withPlace(shell, body));

  sentTest("a removal for an earlier attempt leaves those of a later one, until that is removed", async (place) => {
    const [run, visitor] = [await place.connect(), await place.connect({ role: "visitor" })];
    await result(place, run, start("job1", "true"));
    await send(place, run, attempt("job1", 2));
    assert.deepEqual(await visitor.link.remove([attempt("job1")]), ["later"]);
    // A start that is made again after a broken link.
    await send(place, run, attempt("job1", 2));
    const said = await result(place, run, start("job1", "cat given", { number: 2 }));
    assert.equal(said, `for ${attempt("job1", 2).attempt}\n`);
    const claims = [...Deno.readDirSync(`${place.directory}/job1`)].filter(({ name }) => /\.run(\.\d+)?$/.test(name));
    assert.equal(claims.length, 3);
    // Nobody writes the end of the first attempt into the log any more.
    assert.ok((await Deno.stat(`${place.directory}/job1/job1.run.fin`)).isFile);
    await send(place, run, attempt("job1", 3));
    assert.deepEqual(await visitor.link.remove([attempt("job1", 3)]), ["removed"]);
  });

  sentTest("a removal for a job leaves those of another one that took its name", async (place) => {
    const [run, visitor] = [await place.connect(), await place.connect({ role: "visitor" })];
    await result(place, run, start("job1", "true"));
    await send(place, run, other);
    assert.deepEqual(await visitor.link.remove([attempt("job1")]), ["later"]);
    assert.equal(await result(place, run, start("job1", "cat given", other)), `for ${other.attempt}\n`);
    assert.deepEqual(await visitor.link.remove([other]), ["removed"]);
    await send(place, run, other);
    assert.deepEqual(await visitor.link.remove([attempt("job1")]), ["later"]);
    assert.deepEqual(await visitor.link.remove([other]), ["removed"]);
  });

  sentTest("they are whole also where they come while a removal goes on for long", async (place) => {
    const [run, visitor] = [await place.connect(), await place.connect({ role: "visitor" })];
    // What it leaves running is ended before its directory goes.
    await result(place, run, start("job1", `sh -c "trap '' TERM; exec sleep 300" >/dev/null 2>&1 &`));
    const removed = visitor.link.remove([attempt("job1")]);
    await waitUntil("the removal's claim", () => Deno.stat(`${place.directory}/job1/job1.run.1`).then(() => true));
    await send(place, run, attempt("job1", 2));
    assert.match((await removed).join(), /^(removed|later)$/);
    const said = await result(place, run, start("job1", "cat given", { number: 2 }));
    assert.equal(said, `for ${attempt("job1", 2).attempt}\n`);
    assert.deepEqual(await visitor.link.remove([attempt("job1", 2)]), ["removed"]);
  });
}
