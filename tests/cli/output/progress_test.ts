import assert from "node:assert/strict";
import { durationText, progressText, StatusLine } from "../../../src/cli/output/progress.ts";
import type { Clock } from "../../../src/deps.ts";
import { FakeTerminal } from "../harness.ts";

/** A clock that stands until it is moved; sleepers wake in order. */
class StillClock implements Clock {
  #nowMs = 1_000_000;
  #sleepers: { atMs: number; wake: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return this.#nowMs;
  }

  sleepUntil(atMs: number, signal?: AbortSignal): Promise<void> {
    if (atMs <= this.#nowMs || signal?.aborted) return Promise.resolve();
    return new Promise((wake) => {
      this.#sleepers.push({ atMs, wake });
      signal?.addEventListener("abort", () => wake());
    });
  }

  async move(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const { wake } of this.#sleepers.filter(({ atMs }) => atMs <= this.#nowMs)) wake();
    this.#sleepers = this.#sleepers.filter(({ atMs }) => atMs > this.#nowMs);
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

const ERASE = "\r\u001b[2K";

Deno.test("StatusLine redraws at most ten times a second and keeps lines above the status", async () => {
  const io = new FakeTerminal(true);
  const clock = new StillClock();
  const screen = new StatusLine(io, clock);
  for (let i = 0; i < 50; i++) {
    screen.out(`line ${i}\n`);
    screen.show(() => `status ${i}`);
    await turn();
  }
  const frames = () => io.text("out").split("status").length - 1;
  assert.equal(frames(), 1);
  await clock.move(100);
  assert.equal(frames(), 2);
  assert(io.text("out").startsWith(`line 0\nstatus 0${ERASE}line 1\n`));
  assert(io.text("out").endsWith("line 49\nstatus 49"));
  screen.close();
  assert(io.text("out").endsWith(`status 49${ERASE}`));
});

Deno.test("StatusLine writes all that is pending when it closes, in order, and nothing is lost after", () => {
  const io = new FakeTerminal(true);
  const screen = new StatusLine(io, new StillClock());
  screen.out("a\n");
  screen.err("b\n");
  screen.out("c\n");
  screen.close();
  screen.out("d\n");
  assert.deepEqual(io.writes.filter(({ text }) => text !== "").map(({ text }) => text), ["a\n", "b\n", "c\n", "d\n"]);
});

Deno.test("StatusLine never fills the last column", async () => {
  const io = new FakeTerminal(true);
  const screen = new StatusLine(io, new StillClock());
  screen.show(() => "x".repeat(500));
  await turn();
  assert.equal(io.text("out").length, io.columns() - 1);
  screen.close();
});

Deno.test("progressText() has the counts, and rate and time left once something has ended", () => {
  const progress = { done: 10, running: 4, failed: 1, total: 100 };
  assert.equal(progressText(progress, 0, 5000), "10 of 100 done, 4 running, 1 failed");
  assert.equal(progressText(progress, 10, 5000), "10 of 100 done, 4 running, 1 failed, 2.0 jobs/s, 45 s left");
});

Deno.test("durationText() reads in seconds, minutes, hours", () => {
  assert.deepEqual([0, 59, 60, 3725].map(durationText), ["0 s", "59 s", "1 min 0 s", "1 h 2 min"]);
});
