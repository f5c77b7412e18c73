/** KeptEvents and runEvents(): what a listener who comes back is told, and what two looks at a run mean. */
import assert from "node:assert/strict";
import { jobName } from "../../src/names/grammar.ts";
import { KeptEvents, type QueueEvent, runEvents } from "../../src/operations/queue_events.ts";
import type { LastRun } from "../../src/store/run_status.ts";

function event(queue: string, job: string): QueueEvent {
  return { type: "job_added", queue, experiment: "x", job: jobName(job), state: "ready" };
}

function names(events: readonly { event: QueueEvent }[]): string {
  return events.map(({ event }) => "job" in event ? `${event.queue}.${event.job}` : event.type).join(" ");
}

Deno.test("since() knows all events after an id of its own, of every queue", () => {
  const kept = new KeptEvents("aa");
  const start = kept.lastId;
  const one = kept.add(event("a", "j1"), { begun: "11", line: 2 });
  kept.add(event("b-c", "j2"), { begun: "22", line: 2 });
  kept.add(event("a", "j3"), { begun: "11", line: 3 });
  assert.deepEqual([names(kept.since(start).events), kept.since(start).known], ["a.j1 b-c.j2 a.j3", "all"]);
  assert.equal(names(kept.since(kept.idOf(one)).events), "b-c.j2 a.j3");
  assert.deepEqual(kept.since(kept.lastId), { events: [], known: "all" });
});

Deno.test("since() of another process's id knows one queue by its journal, and no other", () => {
  const [old, kept] = [new KeptEvents("aa"), new KeptEvents("bb")];
  const id = old.idOf(old.add(event("b-c", "j1"), { begun: "22", line: 2 }));
  kept.add(event("b-c", "j1"), { begun: "22", line: 2 });
  kept.add(event("a", "j2"), { begun: "11", line: 2 });
  kept.add(event("b-c", "j3"), { begun: "22", line: 3 });
  kept.add(event("b-c", "j4"), { begun: "33", line: 2 });
  const { events, known } = kept.since(id);
  assert.deepEqual([names(events), known], ["b-c.j3 b-c.j4", "b-c"]);
});

Deno.test("since() knows nothing of journals it has not seen from that line on, and of no id at all", () => {
  const kept = new KeptEvents("bb");
  kept.begin({ queue: "a", begun: "11", fromLine: 5, changes: [] });
  kept.add(event("a", "j1"), { begun: "11", line: 6 });
  for (const id of ["aa-1-22-2-a", "aa-1-11-4-a", "aa-1-11-9-b", "bb-7-11-6-a", "aa-1---", "", "x", "aa-1-11-5"]) {
    assert.deepEqual(kept.since(id), { events: [], known: null }, id);
  }
  assert.equal(names(kept.since("aa-1-11-5-a").events), "a.j1");
});

Deno.test("since() knows nothing of events that were forgotten", () => {
  const kept = new KeptEvents("bb");
  const first = kept.idOf(kept.add(event("a", "j"), { begun: "11", line: 2 }));
  for (let i = 0; i < 20_000; i++) kept.add(event("a", "j"), { begun: "11", line: 3 + i });
  assert.deepEqual(kept.since(first), { events: [], known: null });
  assert.deepEqual(kept.since("aa-1-11-2-a"), { events: [], known: null });
  assert.equal(kept.since(`bb-20000-11-20001-a`).events.length, 1);
});

function run(name: string, isRunning: boolean, machines: Record<string, "up" | "down"> = {}): LastRun {
  return {
    pid: 1,
    hostname: "h",
    run: name,
    isRunning,
    about: { scheduler: "fifo", cluster: null, slots: 1, machines },
  };
}

Deno.test("runEvents() tells starts and machines before the changes of jobs, ends after them", () => {
  const told = (old: LastRun | null, now: LastRun | null) => {
    const { before, after } = runEvents(old, now);
    return [before, after].map((events) =>
      events.map((one) => "machine" in one ? `${one.type} ${one.machine}` : one.type)
    );
  };
  assert.deepEqual(told(null, run("1", true, { red: "up" })), [["run_start", "host_up red"], []]);
  assert.deepEqual(told(run("1", true), run("1", true, { red: "down" })), [[], ["host_down red"]]);
  assert.deepEqual(told(run("1", true, { red: "down" }), run("1", true, { red: "up" })), [["host_up red"], []]);
  assert.deepEqual(told(run("1", true), run("1", false)), [[], ["run_end"]]);
  // A run that came and went between two looks; and one whose end was missed.
  assert.deepEqual(told(run("1", false), run("2", false)), [["run_start"], ["run_end"]]);
  assert.deepEqual(told(run("1", true), run("2", true)), [["run_end", "run_start"], []]);
  assert.deepEqual(told(run("1", false), run("1", false)), [[], []]);
});
