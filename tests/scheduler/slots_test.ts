import assert from "node:assert/strict";
import type { JobName } from "../../src/names/grammar.ts";
import { Slots } from "../../src/scheduler/slots.ts";
import { slotHost } from "./world.ts";

const RED = "pi@red";
const [A, B] = ["a", "b"] as JobName[] as [JobName, JobName];
const isUp = (): boolean => true;

Deno.test("adopt() keeps a job at the entry whose GPU it has, beyond the capacity, and never at another GPU's", () => {
  const slots = new Slots([slotHost("g0", RED, { gpu: "0" }), slotHost("g1", RED, { gpu: "1" })]);
  slots.adopt(A, RED, "g0");
  slots.adopt(B, RED, "g0");
  assert.deepEqual(Object.fromEntries(slots.inUse()), { g0: 2 });
  assert.equal(slots.free(isUp)?.id, "g1");
  slots.take("c" as JobName, "g1");
  assert.equal(slots.giveBack(A), null, "b has the GPU still: nobody may be let in for a");
  assert.equal(slots.free(isUp), null);
  assert.equal(slots.giveBack(B), "g0");
  assert.equal(slots.free(isUp)?.id, "g0");
});

Deno.test("adopt() takes an entry of the same GPU where a job's own is full", () => {
  const like = { gpu: "0" };
  const slots = new Slots([slotHost("g1", RED, { gpu: "1" }), slotHost("g0", RED, like), slotHost("more", RED, like)]);
  slots.adopt(A, RED, "g0");
  slots.adopt(B, RED, "g0");
  assert.deepEqual(Object.fromEntries(slots.inUse()), { g0: 1, more: 1 });
});

Deno.test("a slot that is given back goes to a job of a full entry of the same GPU, before it goes to a new one", () => {
  const like = { gpu: "0" };
  const slots = new Slots([slotHost("g0", RED, like), slotHost("more", RED, like)]);
  const c = "c" as JobName;
  for (const name of [A, B, c]) slots.adopt(name, RED, "g0");
  assert.deepEqual(Object.fromEntries(slots.inUse()), { g0: 2, more: 1 });
  assert.equal(slots.giveBack(B), null);
  assert.deepEqual(Object.fromEntries(slots.inUse()), { g0: 1, more: 1 });
  assert.equal(slots.free(isUp), null);
  assert.notEqual(slots.giveBack(c), null);
});

Deno.test("what an inactive host holds too many of takes the slots that become free at one like it", () => {
  const c = "c" as JobName;
  const hosts = (active: boolean) => [slotHost("own", RED, { active }), slotHost("more", RED)];
  const slots = new Slots(hosts(false));
  for (const name of [A, B, c]) slots.adopt(name, RED, "own");
  assert.equal(slots.giveBack(B), null);
  assert.deepEqual(Object.fromEntries(slots.inUse()), { own: 1, more: 1 });
  slots.setHosts(hosts(true));
  assert.equal(slots.free(isUp), null);
});

Deno.test("setHosts() gives a new host to what one like it holds too many of", () => {
  const slots = new Slots([slotHost("own", RED)]);
  for (const name of [A, B]) slots.adopt(name, RED, "own");
  slots.setHosts([slotHost("own", RED), slotHost("more", RED)]);
  assert.deepEqual(Object.fromEntries(slots.inUse()), { own: 1, more: 1 });
  assert.equal(slots.free(isUp), null);
});

Deno.test("free() asks about no machine again until a slot or a machine has come", () => {
  const slots = new Slots(Array.from({ length: 1000 }, (_, i) => slotHost(`h${i}`, `pi@h${i}`)));
  let asked = 0;
  const find = (up: string | null) => slots.free((machine) => ++asked > 0 && machine === up)?.id ?? null;
  assert.equal(find(null), null);
  assert.equal(asked, 1000);
  for (let i = 0; i < 100; i++) find(null);
  assert.equal(asked, 1000);
  slots.machineUp("pi@h7");
  assert.equal(find("pi@h7"), "h7");
  slots.take(A, "h7");
  assert.equal(find("pi@h7"), null);
  slots.giveBack(A);
  assert.equal(find("pi@h7"), "h7");
  // Of all others nobody asks, whatever comes and goes here.
  assert.ok(asked < 1010, `${asked}`);
});

Deno.test("free() finds a host again whose machine was away, at its place before the others", () => {
  const slots = new Slots(["h0", "h1", "h2"].map((id) => slotHost(id, `pi@${id}`)));
  const find = (...up: string[]) => slots.free((machine) => up.includes(machine))?.id ?? null;
  assert.equal(find("pi@h1", "pi@h2"), "h1");
  slots.machineUp("pi@h2");
  assert.equal(find("pi@h0", "pi@h1", "pi@h2"), "h1", "nobody said that h0 is up");
  slots.machineUp("pi@h0");
  assert.equal(find("pi@h0", "pi@h1", "pi@h2"), "h0");
  assert.equal(find("pi@h2"), "h2");
  slots.setHosts(slots.hosts);
  assert.equal(find("pi@h0", "pi@h2"), "h0");
});
