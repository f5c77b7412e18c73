/** The loop of a run over a store and hosts that are made up. */
import assert from "node:assert/strict";
import type { Machine } from "../../src/cluster/machine.ts";
import type { Deps } from "../../src/deps.ts";
import type { Job } from "../../src/job/job.ts";
import type { ConnectOptions, Link } from "../../src/link/link.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { Core } from "../../src/scheduler/core.ts";
import { fifoMulti } from "../../src/scheduler/policies.ts";
import type { RunEvent, RunResult } from "../../src/scheduler/report.ts";
import { runLoop } from "../../src/scheduler/run.ts";
import { type Change, type News, NO_NEWS } from "../../src/store/changes.ts";
import type { QueueStore } from "../../src/store/store.ts";
import { memoryDeps } from "../support/memory_files.ts";
import { job, slotHost } from "./world.ts";

const [A, B] = ["a", "b"] as JobName[] as [JobName, JobName];
const LIMIT_MS = 20_000;

/** A run on one host with two slots, whose jobs end at once; its time passes as soon as it waits. */
class Play {
  readonly jobs: Map<JobName, Job>;
  /** Attempts whose start was sent, in order. */
  readonly sent: string[] = [];
  readonly events: RunEvent[] = [];
  nowMs = 0;
  /** What others did since the last look. */
  news: News = NO_NEWS;
  /** Nothing can be written while this is true. */
  isFull = false;
  /** Called with what could not be written. */
  onFull: (changes: readonly Change[]) => void = () => {};
  /** Called when a link is opened. */
  onConnect: () => void = () => {};
  /** How many of the first links break as soon as a start is sent over them. */
  breaks = 0;

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
      fold: () => this.isFull ? Promise.reject(new Error("No space left on device")) : Promise.resolve(true),
    };
    const hosts = [slotHost("h1", "pi@red", { capacity: 2 })];
    const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000, killCompletes: true }, this.jobs);
    const connect = (machine: Machine, options: ConnectOptions) => Promise.resolve(this.#open(machine, options));
    const parts = { store: store as QueueStore, core, connect, readHosts: null, hostFile: null };
    const onEvent = (event: RunEvent) => void this.events.push(event);
    const watch = { onEvent, stop: new AbortController().signal, leave: leave.signal };
    const { outcome } = await runLoop(deps, parts, watch);
    if (outcome === "done") assert.ok([...core.inspect().slots.inUse().values()].every((count) => count === 0));
    return outcome;
  }

  #commit(decide: (news: News) => readonly Change[]): void {
    const { news } = this;
    this.news = NO_NEWS;
    const changes = decide(news);
    if (changes.length === 0) return; // Nothing to write.
    if (this.isFull) {
      this.onFull(changes);
      throw new Error("No space left on device");
    }
    for (const change of changes) {
      const before = change.type === "set" ? this.jobs.get(change.job) : undefined;
      if (change.type === "set" && before !== undefined) this.jobs.set(change.job, { ...before, ...change.fields });
    }
  }

  #open(machine: Machine, { onEvent }: ConnectOptions): Link {
    this.onConnect();
    const link: Partial<Link> = {
      machine,
      boot: "1",
      close: () => Promise.resolve(),
      prepare() {},
      unprepare() {},
      line() {},
      start: (requests) => {
        for (const { attempt } of requests) this.sent.push(attempt);
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

Deno.test("runLoop() starts no job that was deleted before its start could be written", async () => {
  const play = new Play("a", "b");
  play.isFull = true;
  play.onFull = () => {
    play.isFull = false;
    play.jobs.delete(A);
    play.news = { ...NO_NEWS, deleted: [A] };
  };
  assert.equal(await play.run(), "done");
  assert.deepEqual(play.sent, [`${job("b").id}.1`]);
});

Deno.test("runLoop() starts a job that was replaced before its start could be written as it is now", async () => {
  const play = new Play("a");
  const id = "e".repeat(32);
  play.isFull = true;
  play.onFull = () => {
    play.isFull = false;
    play.jobs.set(A, { ...job("a"), id });
    play.news = { ...NO_NEWS, put: [A] };
  };
  assert.equal(await play.run(), "done");
  assert.deepEqual(play.sent, [`${id}.1`]);
  assert.equal(play.jobs.get(A)?.status, "end");
});

Deno.test("runLoop() sends a start again that was written long ago, also if what comes with it cannot be written at once", async () => {
  const play = new Play("a");
  let links = 0;
  play.breaks = 1;
  play.onConnect = () => {
    if (++links !== 2) return;
    // What is decided when the second link is there: a is sent again, and b is started.
    play.jobs.set(B, job("b"));
    play.news = { ...NO_NEWS, put: [B] };
    play.isFull = true;
  };
  play.onFull = () => play.isFull = false;
  assert.equal(await play.run(), "done");
  const [a, b] = [`${job("a").id}.1`, `${job("b").id}.1`];
  assert.deepEqual(play.sent, [a, a, b]);
  assert.deepEqual([...play.jobs.values()].map(({ status }) => status), ["end", "end"]);
});
