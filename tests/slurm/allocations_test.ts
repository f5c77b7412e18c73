import assert from "node:assert/strict";
import { makeHost } from "../../src/cluster/host.ts";
import type { HostId } from "../../src/names/grammar.ts";
import { Allocations, type Needs } from "../../src/slurm/allocations.ts";
import type { Command } from "../../src/slurm/commands.ts";
import { entryOf } from "../../src/slurm/entry.ts";
import type { Sight } from "../../src/slurm/slurm.ts";

const LOGIN = "me@login";

/** A run that needs so many slots, and machines of which some are open or busy. */
class Run implements Needs {
  waits = 0;
  readonly open = new Set<string>();
  readonly busy = new Set<string>();
  readonly over = new Map<string, string>();
  readonly closing = new Set<string>();
  /** Slots that are taken on each host. */
  readonly used = new Map<string, number>();
  isEnding = false;
  nowMs = 0;
  readonly allocations: Allocations;
  #names = 0;

  constructor(fields: Record<string, string | number> = {}, slots = 2) {
    this.allocations = new Allocations({ makeName: () => `cms-q-${++this.#names}`, notBeforeMs: 0 });
    this.allocations.setEntries([this.entry(fields, slots)]);
  }

  entry(fields: Record<string, string | number> = {}, slots = 2, status = "active") {
    const slurm = { kind: "slurm", time: "1h", allocations: 4, idle: "5m", ...fields };
    return entryOf(makeHost("gpu" as HostId, { name: "login", user: "me", status, max_jobs_allowed: slots, slurm }));
  }

  waiting(_host: unknown, most: number): number {
    return Math.min(this.waits, most);
  }

  isBusy(machine: string): boolean {
    return this.busy.has(machine);
  }

  isOpen(machine: string): boolean {
    return this.open.has(machine);
  }

  endOf(machine: string): string | null {
    return this.over.get(machine) ?? null;
  }

  isClosing(machine: string): boolean {
    return this.closing.has(machine);
  }

  whyDown(): string | null {
    return this.open.size > 0 ? null : "node n1 is on strike";
  }

  room(host: { id: string; capacity: number; active: boolean }): number {
    return host.active ? host.capacity - (this.used.get(host.id) ?? 0) : 0;
  }

  step(afterMs = 1_000): Command[] {
    this.nowMs += afterMs;
    return this.allocations.step(this, this.nowMs);
  }

  submit(afterMs = 1_000): Extract<Command, { type: "submit" }> | undefined {
    return this.step(afterMs).find((command) => command.type === "submit");
  }

  /** What Slurm shows of a submit. */
  sees(name: string, sights: readonly Partial<Sight>[] | null): Command[] {
    const all = sights?.map((sight, task): Sight => ({
      name,
      task,
      array: "7",
      job: null,
      state: "pending",
      reason: "Resources",
      nodes: [],
      restarts: 0,
      started: null,
      leftMs: null,
      ...sight,
    })) ?? null;
    return this.allocations.seen(LOGIN, [name], all, this.nowMs);
  }

  /** Asks for one allocation and lets it run on node n1 as job 7. */
  started(leftMs = 3_600_000): void {
    this.waits = 2;
    const { name } = this.submit()!;
    this.allocations.submitted(name, { type: "submitted", job: "7" }, this.nowMs);
    this.step();
    this.sees(name, [{ state: "running", job: "7", nodes: ["n1"], leftMs }]);
    this.open.add("me@n1.7.slurm.login");
  }

  ids(): string[] {
    return this.allocations.hosts().filter(({ isToCome }) => isToCome !== true).map(({ id, active }) =>
      active ? id : `(${id})`
    );
  }
}

const types = (commands: readonly Command[]): string[] => commands.map(({ type }) => type);

Deno.test("As many allocations as the waiting jobs can fill are asked for in one submit, never more than allowed", () => {
  const run = new Run();
  assert.equal(run.submit(), undefined);
  run.waits = 5;
  assert.equal(run.submit()?.count, 3);
  const many = new Run();
  many.waits = 1_000;
  const asked = many.submit();
  assert.equal(asked?.count, 4);
  many.allocations.submitted(asked!.name, { type: "submitted", job: "7" }, many.nowMs);
  assert.equal(many.submit(60_000), undefined);
});

Deno.test("What is pending or free counts before more is asked for", () => {
  const run = new Run();
  run.started();
  assert.deepEqual(run.ids(), ["gpu.7.n1"]);
  // Two slots are free there: they are for the two jobs that wait.
  assert.equal(run.submit(), undefined);
  run.used.set("gpu.7.n1", 2);
  assert.equal(run.submit()?.count, 1);
});

Deno.test("Nothing more is submitted while nobody knows what became of a submit; then the name is looked up", () => {
  const run = new Run();
  run.waits = 8;
  const { name } = run.submit()!;
  assert.equal(run.submit(), undefined);
  run.allocations.submitted(name, { type: "unknown", reason: "no answer within 30 s" }, run.nowMs);
  assert.deepEqual(types(run.step()), ["look"]);
  // Nobody knows: nothing is believed.
  run.sees(name, null);
  run.sees(name, []);
  assert.deepEqual(types(run.step(30_000)), ["look"]);
  // It was there all the time.
  run.sees(name, [{}, {}, {}, {}]);
  run.waits = 100;
  assert.equal(run.submit(), undefined);
  assert.deepEqual(run.allocations.summary(), [{ entry: "gpu", pending: 4, running: 0, reason: "Resources" }]);
});

Deno.test("A submit that is looked up for a minute and not found counts as refused", () => {
  const run = new Run();
  run.waits = 2;
  const { name } = run.submit()!;
  run.allocations.submitted(name, { type: "unknown", reason: "no answer" }, run.nowMs);
  run.step();
  run.sees(name, []);
  run.step(70_000);
  run.sees(name, []);
  run.step(30_000);
  assert.deepEqual(types(run.sees(name, [])), ["forget", "report"]);
  assert.equal(run.submit()?.count, 1);
});

Deno.test("An allocation that Slurm does not show now and then is not over; one that it forgot is", () => {
  const run = new Run();
  run.started();
  run.sees("cms-q-1", null);
  run.sees("cms-q-1", []);
  run.sees("cms-q-1", []);
  run.sees("cms-q-1", [{ state: "running", job: "7", nodes: ["n1"], leftMs: 1_000_000 }]);
  for (let i = 0; i < 2; i++) {
    run.sees("cms-q-1", []);
    run.step(40_000);
    assert.deepEqual(run.ids(), ["gpu.7.n1"]);
  }
  run.sees("cms-q-1", []);
  assert.deepEqual(run.ids(), []);
  // Where the way there said that Slurm has forgotten it, one look is enough.
  const other = new Run();
  other.started();
  other.over.set("me@n1.7.slurm.login", "GONE");
  other.step();
  other.sees("cms-q-1", []);
  assert.deepEqual(other.ids(), []);
});

Deno.test("An allocation whose node was booted, which Slurm does not notice, is cancelled and makes place", () => {
  const run = new Run({ allocations: 1 });
  const name = "cms-q-1";
  run.started();
  run.over.set("me@n1.7.slurm.login", "NODE_FAIL");
  run.open.clear();
  run.waits = 2;
  assert.deepEqual(types(run.step()), ["look"]);
  // An answer that does not show it is none.
  run.sees(name, []);
  // It may have noticed since it was asked.
  assert.deepEqual(run.ids(), ["gpu.7.n1"]);
  run.sees(name, [{ state: "running", job: "7", nodes: ["n1"] }]);
  run.step();
  assert.deepEqual(run.ids(), ["(gpu.7.n1)"]);
  run.allocations.hostsTaken();
  assert.ok(run.step().some(({ type }) => type === "cancel"));
  run.sees(name, [{ state: "over", job: "7", reason: "CANCELLED" }]);
  assert.equal(run.submit()?.count, 1);
});

Deno.test("Near its end an allocation gets no more jobs, and is cancelled when nothing runs there", () => {
  const run = new Run();
  run.started(100_000);
  run.busy.add("me@n1.7.slurm.login");
  run.step(38_000);
  assert.deepEqual(run.ids(), ["gpu.7.n1"]);
  run.step(5_000);
  assert.deepEqual(run.ids(), ["(gpu.7.n1)"]);
  run.busy.clear();
  // The run does not know yet that the host is closed: it may be starting a job there.
  assert.deepEqual(types(run.step()).includes("cancel"), false);
  run.allocations.hosts();
  run.allocations.hostsTaken();
  run.waits = 0;
  assert.deepEqual(run.step().filter(({ type }) => type === "cancel"), [
    { type: "cancel", login: LOGIN, allocations: ["7_0"] },
  ]);
});

Deno.test("An allocation that says itself that it takes no more jobs gets none, however long it was to last", () => {
  const run = new Run();
  run.started();
  run.step();
  run.closing.add("me@n1.7.slurm.login");
  assert.deepEqual(types(run.step()).filter((type) => type === "report"), ["report"]);
  assert.deepEqual(run.ids(), ["(gpu.7.n1)"]);
});

Deno.test("Three allocations to which no link leads pause the entry, with what the links said", () => {
  const run = new Run({ allocations: 1, idle: "10s" });
  run.waits = 2;
  const all: Command[] = [];
  for (let i = 1; i <= 3; i++) {
    const { name } = run.submit()!;
    run.allocations.submitted(name, { type: "submitted", job: `${i}` }, run.nowMs);
    run.step();
    run.sees(name, [{ array: `${i}`, state: "running", job: `${i}`, nodes: ["n1"] }]);
    assert.equal(types(run.step(50_000)).includes("cancel"), false);
    run.step(11_000);
    run.allocations.hosts();
    run.allocations.hostsTaken();
    assert.equal(types(run.step()).includes("cancel"), true);
    all.push(...run.sees(name, [{ array: `${i}`, state: "over", job: `${i}`, reason: "CANCELLED" }]));
  }
  const reason = "3 allocations ended before they could be used, the last without a link: node n1 is on strike";
  assert.deepEqual(all.filter(({ type }) => type === "pause"), [{ type: "pause", entry: "gpu", reason }]);
});

Deno.test("An idle allocation is ended, one with a job in flight never", () => {
  const run = new Run();
  run.started();
  run.waits = 0;
  run.busy.add("me@n1.7.slurm.login");
  run.step(600_000);
  assert.deepEqual(run.ids(), ["gpu.7.n1"]);
  assert.deepEqual([...run.allocations.rest(run)], []);
  run.busy.clear();
  run.step(1_000);
  run.step(301_000);
  assert.deepEqual(run.ids(), ["(gpu.7.n1)"]);
  assert.deepEqual([...run.allocations.rest(run)], [[LOGIN, ["7_0"]]]);
});

Deno.test("Submits that fail come less and less often; the tenth pauses the entry with Slurm's words", () => {
  const run = new Run();
  run.waits = 2;
  const times: number[] = [];
  let paused: Command | undefined;
  while (paused === undefined && run.nowMs < 24 * 3_600_000) {
    const submit = run.submit(60_000);
    if (submit === undefined) continue;
    times.push(run.nowMs / 60_000);
    const refused = { type: "refused", reason: "Invalid partition" } as const;
    paused = run.allocations.submitted(submit.name, refused, run.nowMs).find(({ type }) => type === "pause");
  }
  assert.deepEqual(times, [1, 2, 3, 18, 48, 108, 168, 228, 288, 348]);
  assert.deepEqual(paused, { type: "pause", entry: "gpu", reason: "Invalid partition" });
  assert.equal(run.submit(3_600_000 * 10), undefined);
  assert.equal(run.allocations.hosts()[0]?.active, false);
  run.allocations.setEntries([run.entry({}, 2, "paused")]);
  run.allocations.setEntries([run.entry()]);
  assert.equal(run.submit()?.count, 1);
});

Deno.test("Three allocations that end before a link led there pause the entry; what a person cancels after does not", () => {
  const run = new Run();
  run.waits = 8;
  const { name } = run.submit()!;
  run.allocations.submitted(name, { type: "submitted", job: "7" }, run.nowMs);
  run.step();
  const over = { state: "over", reason: "FAILED", job: "7" } as const;
  const commands = run.sees(name, [over, over, over, { state: "running", job: "9", nodes: ["n1"] }]);
  assert.deepEqual(types(commands), ["report", "report", "report", "report", "pause"].toSorted().reverse());
});

Deno.test("What an earlier run has asked for is found again, and nothing is asked for before", () => {
  const run = new Run();
  run.waits = 8;
  run.allocations.recall(run.entry(), { name: "cms-q-old", count: 4, isKnown: false, atMs: -10_000 });
  assert.deepEqual(types(run.step()), ["look"]);
  const there = { state: "running", job: "7", nodes: ["n1"], leftMs: 100_000 } as const;
  const over = { state: "over", job: "8", reason: "CANCELLED" } as const;
  assert.deepEqual(types(run.sees("cms-q-old", [there, over, over, over])), ["report"]);
  assert.deepEqual(run.ids(), ["gpu.7.n1"]);
  run.open.add("me@n1.7.slurm.login");
  assert.equal(run.submit()?.count, 3);
});

Deno.test("What waits in Slurm's queue is taken back when no job waits for it any more", () => {
  const run = new Run();
  run.waits = 2;
  const { name } = run.submit()!;
  run.allocations.submitted(name, { type: "submitted", job: "7" }, run.nowMs);
  run.waits = 0;
  assert.equal(run.step(10_000).some(({ type }) => type === "cancel"), false);
  const cancels = run.step(31_000).filter(({ type }) => type === "cancel");
  assert.deepEqual(cancels, [{ type: "cancel", login: LOGIN, allocations: ["7_0"] }]);
});

Deno.test("What Slurm has not named yet is not cancelled, however long nobody needs it", () => {
  const run = new Run();
  run.allocations.recall(run.entry(), { name: "cms-q-old", count: 2, isKnown: true, atMs: -10_000 });
  run.step();
  assert.ok(!types(run.step(60_000)).includes("cancel"));
  assert.deepEqual([...run.allocations.rest(run)], []);
  assert.deepEqual([...run.allocations.unseen()], [[LOGIN, ["cms-q-old"]]]);
  run.sees("cms-q-old", [{}, {}]);
  assert.deepEqual(run.step().filter(({ type }) => type === "cancel").length, 2);
  assert.deepEqual([[...run.allocations.rest(run)], [...run.allocations.unseen()]], [[[LOGIN, ["7_0", "7_1"]]], []]);
});
