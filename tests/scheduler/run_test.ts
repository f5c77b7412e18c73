/** The loop of a run over a store and hosts that are made up. */
import assert from "node:assert/strict";
import type { Machine } from "../../src/cluster/machine.ts";
import type { Deps } from "../../src/deps.ts";
import { LinkError } from "../../src/errors.ts";
import { CmsError } from "../../src/errors.ts";
import type { Job } from "../../src/job/job.ts";
import type { ConnectOptions, Link } from "../../src/link/link.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { Core } from "../../src/scheduler/core.ts";
import { fifo, fifoMulti } from "../../src/scheduler/policies.ts";
import type { RunEvent, RunResult } from "../../src/scheduler/report.ts";
import { runLoop } from "../../src/scheduler/run.ts";
import { type Change, type ExternalChanges, NO_EXTERNAL_CHANGES } from "../../src/store/changes.ts";
import type { QueueStore } from "../../src/store/store.ts";
import { memoryDeps } from "../../testing/memory_files.ts";
import { job, slotHost } from "./world.ts";

const [A, B] = ["a", "b"] as JobName[] as [JobName, JobName];
const LIMIT_MS = 20_000;

/** A run on one host with two slots, whose jobs end at once; its time passes as soon as it waits. */
class Play {
  readonly jobs: Map<JobName, Job>;
  /** Attempts whose start was sent, in order, */
  readonly sent: string[] = [];
  /** and their scripts. */
  readonly scripts: string[] = [];
  readonly forbidden: string[] = [];
  readonly events: RunEvent[] = [];
  nowMs = 0;
  /** What others did since the last look. */
  external: ExternalChanges = NO_EXTERNAL_CHANGES;
  /** Nothing can be written while this is true. */
  isFull = false;
  /** The queue file cannot be written while this is true, and the journal can. */
  isFileFull = false;
  /** What is written cannot be made durable while this is true. */
  isUnsure = false;
  /** Another process took the right to run the queue. */
  isLost = false;
  /** Called with what is to be written. */
  onWrite: (changes: readonly Change[]) => void = () => {};
  /** Called with what could not be written. */
  onFull: (changes: readonly Change[]) => void = () => {};
  /** Called when what was written could not be made durable. */
  onUnsure: () => void = () => {};
  /** Called when a link is opened. */
  onConnect: () => void = () => {};
  /** When the run is about to give back the queue. */
  onEnd: () => void = () => {};
  /** How many of the first links break as soon as a start is sent over them. */
  breaks = 0;
  /** Names of machines that do not answer. */
  readonly away = new Set<string>();
  /** A machine that is silent for so long is given up. */
  timeoutMs = 600_000;
  /** None: each job names its own machine. */
  hosts = [slotHost("h1", "pi@red", { capacity: 2 })];

  /** Nothing can be written until somebody has made another of a job. */
  isFullUntil(other: Job, how: "put" | "changed"): void {
    this.onFull = () => {
      this.isFull = false;
      this.jobs.set(other.name, other);
      this.external = { ...NO_EXTERNAL_CHANGES, [how]: [other.name] };
    };
  }

  constructor(...names: string[]) {
    this.jobs = new Map(names.map((name) => [name as JobName, job(name)]));
  }

  /** Runs the queue to its end, or until the time is over. */
  async run(): Promise<RunResult["outcome"]> {
    const leave = new AbortController();
    const deps: Deps = {
      ...memoryDeps(),
      clock: {
        now: () => this.nowMs,
        epochMs: () => this.nowMs,
        sleepUntil: async (atMs) => {
          await new Promise((go) => setTimeout(go, 0)); // Others get their turn.
          this.nowMs = Math.max(this.nowMs, Math.min(atMs, LIMIT_MS));
          if (this.nowMs >= LIMIT_MS) leave.abort();
        },
      },
    };
    const store: Partial<QueueStore> = {
      ref: { experiment: "experiment", directory: "/home/experiment", name: "a" },
      id: "f".repeat(32),
      jobs: this.jobs,
      commit: (decide) => Promise.resolve().then(() => this.#commit(decide)),
      makeDurable: () => this.isUnsure ? this.#unsure() : Promise.resolve(),
      checkpoint: () =>
        this.isFull || this.isFileFull ? Promise.reject(new Error("No space left on device")) : Promise.resolve(true),
      endRun: (_policy, mayEnd = () => true) => {
        this.onEnd();
        const { external } = this;
        this.external = NO_EXTERNAL_CHANGES;
        return Promise.resolve(mayEnd(external));
      },
    };
    const { hosts } = this;
    const policy = hosts.length > 0 ? fifoMulti() : fifo(2);
    const core = new Core({ policy, hosts, timeoutMs: this.timeoutMs }, this.jobs);
    const connect = (machine: Machine, options: ConnectOptions) =>
      this.away.has(machine.name)
        ? Promise.reject(new LinkError(machine.name, "no route to host", false))
        : Promise.resolve(this.#open(machine, options));
    const parts = { store: store as QueueStore, core, connect, readHosts: null, hostFiles: [] };
    const onEvent = (event: RunEvent) => void this.events.push(event);
    const watch = { onEvent, stop: new AbortController().signal, leave: leave.signal };
    const { outcome } = await runLoop(deps, parts, watch);
    if (outcome === "done") assert.ok([...core.inspect().slots.inUse().values()].every((count) => count === 0));
    return outcome;
  }

  #commit(decide: (external: ExternalChanges) => readonly Change[]): void {
    const { external } = this;
    this.external = NO_EXTERNAL_CHANGES;
    const changes = decide(external);
    if (changes.length === 0) return; // Nothing to write.
    this.onWrite(changes);
    if (this.isLost) throw new CmsError("conflict", "./x.run was removed, and process 7 on vm runs the queue now");
    if (this.isFull) {
      this.onFull(changes);
      throw new Error("No space left on device");
    }
    for (const change of changes) {
      const before = change.type === "set" ? this.jobs.get(change.job) : undefined;
      if (change.type === "set" && before !== undefined) this.jobs.set(change.job, { ...before, ...change.fields });
    }
  }

  #unsure(): Promise<void> {
    this.onUnsure();
    return Promise.reject(new Error("Input/output error"));
  }

  #open(machine: Machine, { onEvent }: ConnectOptions): Link {
    this.onConnect();
    const link: Partial<Link> = {
      machine,
      boot: "1",
      close: () => Promise.resolve(),
      prepare() {},
      unprepare() {},
      backlog() {},
      forbid: (attempts) => {
        this.forbidden.push(...attempts.map(({ attempt }) => attempt));
        return Promise.resolve(attempts.map(() => ({ type: "forbidden" })));
      },
      start: (requests) => {
        for (const { attempt, script } of requests) {
          this.sent.push(attempt);
          this.scripts.push(script);
        }
        if (this.breaks-- > 0) return onEvent({ type: "down", reason: "cut" });
        for (const { job, attempt } of requests) {
          onEvent({ type: "ended", job, attempt, state: "end", exitCode: 0, atMs: this.nowMs });
        }
      },
    };
    return link as Link;
  }
}

Deno.test("runLoop() tries once a second while nothing can be written, says so once, and decides nothing twice", async () => {
  const play = new Play("a", "b");
  const writes: number[] = [];
  const starts = new Set<string>();
  play.isFull = true;
  play.onFull = (changes) => {
    writes.push(play.nowMs);
    for (const change of changes) starts.add(JSON.stringify(change));
  };
  await play.run();
  const seconds = LIMIT_MS / 1000;
  assert.ok(writes.length > seconds / 2 && writes.length <= seconds + 2, `${writes.length} writes in ${seconds} s`);
  assert.equal(starts.size, 2, "each job is decided once");
  assert.equal(play.events.filter((event) => event.type === "warning" && /no job starts/.test(event.text)).length, 1);
  assert.deepEqual(play.sent, []);
});

Deno.test("runLoop() says once that the queue file cannot be written, however often that fails, and goes on", async () => {
  const play = new Play("a", "b");
  play.isFileFull = true;
  play.onWrite = () => void (play.nowMs += 5_000);
  assert.equal(await play.run(), "done");
  assert.equal(play.events.filter((event) => event.type === "warning" && /No space/.test(event.text)).length, 1);
  assert.equal(play.sent.length, 2);
});

Deno.test("runLoop() leaves when another process has the right to run the queue, and starts nothing more", async () => {
  const play = new Play("a", "b", "c");
  play.onWrite = () => void (play.isLost = play.sent.length > 0);
  assert.equal(await play.run(), "stopped");
  assert.ok(play.sent.length < 3, play.sent.join());
  const warnings = play.events.flatMap((event) => event.type === "warning" ? [event.text] : []);
  assert.deepEqual(warnings, [
    "./x.run was removed, and process 7 on vm runs the queue now; this run leaves, and what it started goes on",
  ]);
});

Deno.test("runLoop() starts no job that was deleted before its start could be written", async () => {
  const play = new Play("a", "b");
  play.isFull = true;
  play.onFull = () => {
    play.isFull = false;
    play.jobs.delete(A);
    play.external = { ...NO_EXTERNAL_CHANGES, deleted: [A] };
  };
  assert.equal(await play.run(), "done");
  assert.deepEqual(play.sent, [`${job("b").id}.1`]);
});

Deno.test("runLoop() starts a job that was replaced before its start could be written as it is now", async () => {
  const play = new Play("a");
  const id = "e".repeat(32);
  play.isFull = true;
  play.isFullUntil({ ...job("a"), id }, "put");
  assert.equal(await play.run(), "done");
  assert.deepEqual(play.sent, [`${id}.1`]);
  assert.equal(play.jobs.get(A)?.status, "end");
});

Deno.test("runLoop() starts a job with its new command if that came before the start could be written", async () => {
  const play = new Play("a");
  play.isFull = true;
  play.isFullUntil({ ...job("a"), command: "echo changed" }, "changed");
  assert.equal(await play.run(), "done");
  assert.deepEqual(play.sent, [`${job("a").id}.1`]);
  assert.match(play.scripts[0]!, /^echo changed$/m);
  assert.equal(play.jobs.get(A)?.status, "end");
  const told = play.events.filter(({ type }) => type === "starting" || type === "ended");
  assert.deepEqual(told.map(({ type }) => type), ["starting", "ended"]);
});

Deno.test("runLoop() starts no job that is held, or comes after another, since its start could not be written", async () => {
  for (const change of [{ hold: true }, { after: ["gone"] }]) {
    const play = new Play("a");
    play.isFull = true;
    play.isFullUntil({ ...job("a"), ...change }, "changed");
    assert.equal(await play.run(), "done");
    assert.deepEqual([play.sent, play.jobs.get(A)?.status], [[], "undefined"]);
  }
});

Deno.test("runLoop() sends no tombstone for an attempt that was never written, as the next attempt has its number", async () => {
  const play = new Play("a");
  play.isFull = true;
  play.onFull = () => {
    // Somebody wants it killed, and then changes it.
    play.external = { ...NO_EXTERNAL_CHANGES, kill: [A] };
    play.isFullUntil({ ...job("a"), command: "echo changed" }, "changed");
  };
  assert.equal(await play.run(), "done");
  assert.deepEqual([play.forbidden, play.sent], [[], [`${job("a").id}.1`]]);
});

Deno.test("runLoop() takes it back that a job fails to start, where the job is another before that could be written", async () => {
  const others: Record<string, Job> = {
    replaced: { ...job("a", "pi@blue"), id: "e".repeat(32) },
    moved: job("a", "pi@blue"),
  };
  for (const [what, other] of Object.entries(others)) {
    const play = new Play();
    play.jobs.set(A, job("a", "pi@red"));
    play.hosts = [];
    play.away.add("red");
    play.isFull = true;
    play.isFullUntil(other, what === "replaced" ? "put" : "changed");
    assert.equal(await play.run(), "done");
    assert.equal(play.jobs.get(A)?.status, "end", what);
    assert.deepEqual(play.sent, [`${other.id}.1`]);
    assert.ok(!play.events.some((event) => event.type === "ended" && event.state === "fail_start"), what);
  }
});

Deno.test("runLoop() writes an end that could not be written at once into no other job of that name", async () => {
  const play = new Play("a", "b");
  const id = "e".repeat(32);
  let writes = 0;
  play.onWrite = (changes) => {
    const ends = changes.filter((change) => change.type === "set" && change.fields.status === "end");
    if (ends.length === 0 || writes++ > 0) return;
    play.isFull = true;
  };
  play.isFullUntil({ ...job("a"), id }, "put");
  assert.equal(await play.run(), "done");
  assert.deepEqual([...play.jobs.values()].map((one) => `${one.id[0]} ${one.status}`), ["e end", "b end"]);
});

Deno.test("runLoop() sends a written start again also if what was decided with that cannot be written at once", async () => {
  const play = new Play("a");
  let links = 0;
  play.breaks = 1;
  play.onConnect = () => {
    if (++links !== 2) return;
    // What is decided when the second link is there: a is sent again, and b is started.
    play.jobs.set(B, job("b"));
    play.external = { ...NO_EXTERNAL_CHANGES, put: [B] };
    play.isFull = true;
  };
  play.onFull = () => play.isFull = false;
  assert.equal(await play.run(), "done");
  const [a, b] = [`${job("a").id}.1`, `${job("b").id}.1`];
  assert.deepEqual(play.sent, [a, a, b]);
  assert.deepEqual([...play.jobs.values()].map(({ status }) => status), ["end", "end"]);
});

Deno.test("runLoop() does not count time in which nothing could be written as silence of a machine", async () => {
  const play = new Play("a", "b");
  play.hosts = [slotHost("h1", "pi@red", { capacity: 1 }), slotHost("h2", "pi@blue", { capacity: 1 })];
  play.timeoutMs = 4_000;
  play.breaks = 1;
  let freeAtMs = 0;
  play.onWrite = (changes) => {
    const isEnd = changes.some((change) => change.type === "set" && change.fields.status === "end");
    if (!isEnd || freeAtMs > 0) return;
    play.isFull = true;
    freeAtMs = play.nowMs + 8_000;
  };
  play.onFull = () => play.isFull = play.nowMs < freeAtMs;
  assert.equal(await play.run(), "done");
  assert.ok(freeAtMs > 0);
  assert.deepEqual([...play.jobs.values()].map(({ status }) => status), ["end", "end"]);
});

Deno.test("runLoop() sends a start when it is durable, and writes it once, however often that fails", async () => {
  const play = new Play("a", "b");
  const written: string[] = [];
  let tries = 0;
  play.isUnsure = true;
  play.onWrite = (changes) => {
    for (const change of changes) if (change.type === "set") written.push(`${change.job} ${change.fields.status}`);
  };
  play.onUnsure = () => {
    assert.deepEqual(play.sent, []);
    // Somebody touches what waits no more: its start is written.
    play.external = { ...NO_EXTERNAL_CHANGES, changed: [A] };
    play.isUnsure = ++tries < 3;
  };
  assert.equal(await play.run(), "done");
  assert.deepEqual(play.sent, [`${job("a").id}.1`, `${job("b").id}.1`]);
  assert.deepEqual(written.filter((line) => line.endsWith(" run")), ["a run", "b run"]);
  assert.equal(play.events.filter((event) => event.type === "warning" && /no job starts/.test(event.text)).length, 1);
});

Deno.test("runLoop() goes on with a job that is added while it closes its links", async () => {
  const play = new Play("a");
  let ends = 0;
  play.onEnd = () => {
    if (ends++ > 0) return;
    play.jobs.set(B, job("b"));
    play.external = { ...NO_EXTERNAL_CHANGES, put: [B] };
  };
  assert.equal(await play.run(), "done");
  assert.deepEqual([...play.jobs.values()].map(({ status }) => status), ["end", "end"]);
  assert.equal(ends, 2);
});
