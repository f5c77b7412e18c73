/** What waits for clients of events is bounded for each and for all. */
import assert from "node:assert/strict";
import { Backlogs } from "../../src/service/event_backlog.ts";

const MIB = 1024 * 1024;
const piece = (bytes: number) => new Uint8Array(bytes);

Deno.test("where too much waits for all clients, those go for whom most waits; the others get all", async () => {
  const cut: string[] = [];
  const backlogs = new Backlogs(3 * MIB);
  const open = (name: string) => backlogs.open(() => cut.push(name));
  const [small, large, reading] = [open("small"), open("large"), open("reading")];
  small.begin(piece(100));
  large.begin(piece(MIB));
  reading.begin(piece(MIB / 2));
  for (let i = 0; i < 20; i++) {
    const next = reading.take();
    reading.add(piece(MIB / 2));
    assert.equal((await next).length, MIB / 2);
  }
  assert.deepEqual(cut, []);
  large.add(piece(MIB));
  assert.deepEqual(cut, ["large"]);
  large.add(piece(MIB));
  assert.equal(large.bytes, 0);
  assert.equal((await small.take()).length, 100);
});

Deno.test("a client is cut off when more waits for it than a MiB beside what it was sent at first", () => {
  let isCut = false;
  const backlog = new Backlogs().open(() => isCut = true);
  backlog.begin(piece(3 * MIB));
  backlog.add(piece(MIB));
  assert.equal(isCut, false);
  backlog.add(piece(1));
  backlog.add(piece(1));
  assert.equal(isCut, true);
});
