/** What becomes of attempts whose jobs are killed, deleted or replaced while they are on their way. */
import assert from "node:assert/strict";
import { NO_NEWS } from "../../src/store/changes.ts";
import { job, put, slotHost, World } from "./world.ts";

const RED = "pi@red";

Deno.test("a job that waited in a line when its link broke, was deleted and added anew, and runs elsewhere: its old line is settled", () => {
  const jobs = Array.from({ length: 60 }, (_, i) => job(`job${i}`));
  const hosts = [slotHost("h1", RED, { capacity: 2 }), slotHost("h2", "pi@blue")];
  const world = new World({ seed: 5, jobs, hosts, roundTripMs: 400 });
  const red = world.machines.get(RED)!;
  const waiting = () => [...red.lines.values()].flatMap((line) => line.waiting.map((request) => request.job));
  for (let i = 0; i < 5000 && waiting().length === 0; i++) world.tick(0);
  const name = waiting().at(-1)!;
  // The host notices as soon as the manager does: nobody is let in any more.
  red.endLines();
  red.reachable = false;
  red.linkOpen = false;
  world.feed({ type: "link", machine: RED, event: { type: "down", reason: "cut" } });
  world.jobs.delete(name);
  world.feed({ type: "news", news: { ...NO_NEWS, deleted: [name] } });
  world.jobs.set(name, { ...job(name), id: "f".repeat(32) });
  world.feed(put(name));
  for (let i = 0; i < 5000 && world.jobs.get(name)!.host === null; i++) world.tick(0);
  assert.equal(world.jobs.get(name)!.host, "blue");
  red.reachable = true;
  world.runToEnd(0, { troubleSteps: 0, steps: 20_000 });
  const left = [...world.jobs.values()].filter(({ status }) => status !== "end" && status !== "crash");
  assert.deepEqual(left.map((one) => one.name), []);
  assert.equal(world.core.inspect().slots.free((key) => key === RED)?.id, "h1");
});

Deno.test("a job that was said to run, and of which a later run hears that it never started, is crash, and the run ends", () => {
  const was = { ...job("a", RED), status: "start", attempt: 1, boot: "1" } as const;
  const world = new World({ seed: 7, jobs: [was], hosts: [slotHost("h1", RED)] });
  // As it is when its directory was removed and somebody forbade it since.
  world.machines.get(RED)!.ask({ job: was.name, attempt: `${was.id}.1` }, true);
  world.runToEnd(0, { troubleSteps: 0, steps: 1_000 });
  assert.equal(world.jobs.get(was.name)!.status, "crash");
  assert.deepEqual(world.startOrder, []);
  const found = world.reports.flatMap((event) => event.type === "found" ? [`${event.job} ${event.state}`] : []);
  assert.deepEqual(found, ["a crash"]);
});
