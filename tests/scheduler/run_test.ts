/** The loop of a run over a store and hosts that are made up. */
import assert from "node:assert/strict";
import type { Deps } from "../../src/deps.ts";
import type { JobName } from "../../src/names/grammar.ts";
import { Core } from "../../src/scheduler/core.ts";
import { fifoMulti } from "../../src/scheduler/policies.ts";
import type { RunEvent } from "../../src/scheduler/report.ts";
import { runLoop } from "../../src/scheduler/run.ts";
import { NO_NEWS } from "../../src/store/changes.ts";
import type { QueueStore } from "../../src/store/store.ts";
import { memoryDeps } from "../support/memory_files.ts";
import { job, slotHost } from "./world.ts";

Deno.test("runLoop() tries once a second while nothing can be written, says so once, and decides nothing twice", async () => {
  const limitMs = 20_000;
  const leave = new AbortController();
  let nowMs = 0;
  const deps: Deps = {
    ...memoryDeps(),
    clock: {
      now: () => nowMs,
      async sleepUntil(atMs) {
        await new Promise((go) => setTimeout(go, 0)); // Others get their turn.
        nowMs = Math.max(nowMs, Math.min(atMs, limitMs));
        if (nowMs >= limitMs) leave.abort();
      },
    },
  };
  const jobs = new Map(["a", "b"].map((name) => [name as JobName, job(name)]));
  const writes: number[] = [];
  const starts = new Set<string>();
  const store: Partial<QueueStore> = {
    ref: { experiment: "experiment", directory: "/home/experiment", name: "a" },
    id: "f".repeat(32),
    jobs,
    commit(decide) {
      for (const change of decide(NO_NEWS)) starts.add(JSON.stringify(change));
      if (starts.size === 0) return Promise.resolve(); // Nothing to write.
      writes.push(nowMs);
      return Promise.reject(new Error("No space left on device"));
    },
    fold: () => Promise.reject(new Error("No space left on device")),
  };
  const link = { boot: "1", close: () => Promise.resolve(), prepare() {}, unprepare() {}, start: () => assert.fail() };
  const hosts = [slotHost("h1", "pi@red", { capacity: 2 })];
  const core = new Core({ policy: fifoMulti(), hosts, timeoutMs: 600_000, killCompletes: true }, jobs);
  const events: RunEvent[] = [];
  const watch = { onEvent: (event: RunEvent) => void events.push(event), stop: new AbortController().signal };
  const connect = () => Promise.resolve(link as never);
  const parts = { store: store as QueueStore, core, connect, readHosts: null, hostFile: null };
  await runLoop(deps, parts, { ...watch, leave: leave.signal });
  const seconds = limitMs / 1000;
  assert.ok(writes.length > seconds / 2 && writes.length <= seconds + 2, `${writes.length} writes in ${seconds} s`);
  assert.equal(starts.size, 2, "each job is decided once");
  assert.equal(events.filter((event) => event.type === "warning" && /no job starts/.test(event.text)).length, 1);
});
