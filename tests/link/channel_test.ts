import assert from "node:assert/strict";
import type { Child, Clock } from "../../src/deps.ts";
import { Channel } from "../../src/link/channel.ts";
import { turn } from "../../testing/turn.ts";

/**
 * What comes of events that are written `apartMs` from each other, each of them answered or not: the lines, and how
 * often the reader took a rest.
 */
async function readEvents(
  count: number,
  { apartMs, isAnswered }: { apartMs: number; isAnswered: boolean },
): Promise<{ lines: string[]; rests: number }> {
  let nowMs = 0;
  let rests = 0;
  const clock: Clock = {
    now: () => nowMs,
    epochMs: () => nowMs,
    sleepUntil(atMs, signal) {
      // The longer limit is that of a process which has ended.
      if (signal === undefined) rests++;
      nowMs = Math.max(nowMs, signal === undefined ? atMs : nowMs);
      return Promise.resolve();
    },
  };
  let left = count;
  const over = Promise.withResolvers<void>();
  const piece = (text: string) => new TextEncoder().encode(text);
  const stderr = new ReadableStream({
    type: "bytes",
    pull(controller) {
      nowMs += apartMs;
      if (left === count) controller.enqueue(piece("token\n"));
      if (left > 0) controller.enqueue(piece(`event ${count - left--}\n`));
      else {
        controller.close();
        (controller as ReadableByteStreamController).byobRequest?.respond(0);
        over.resolve();
      }
    },
  }, { highWaterMark: 0 });
  const child: Child = {
    pid: 1,
    stdin: new WritableStream(),
    stdout: new ReadableStream({ type: "bytes", start: (controller) => controller.close() }),
    stderr,
    ended: over.promise.then(() => ({ code: 0, signal: null })),
    kill() {},
  };
  const lines: string[] = [];
  const onEvent = (line: string): void => {
    lines.push(line);
    if (isAnswered) channel.send("an answer\n");
  };
  const channel = new Channel(child, clock, { token: "token", onAnswer: () => true, onEvent });
  await channel.ended;
  return { lines, rests };
}

Deno.test("Channel takes a rest where events come close together, and loses none of them", async () => {
  const { lines, rests } = await readEvents(50, { apartMs: 1, isAnswered: false });
  assert.deepEqual(lines, Array.from({ length: 50 }, (_, i) => `event ${i}`));
  assert.ok(rests > 30, `${rests} rests`);
});

Deno.test("Channel reads events at once that come one by one, or that somebody answers", async () => {
  for (const how of [{ apartMs: 10, isAnswered: false }, { apartMs: 1, isAnswered: true }]) {
    const { lines, rests } = await readEvents(50, how);
    assert.equal(lines.length, 50);
    assert.equal(rests, 0);
  }
});

Deno.test("Channel sends what it holds back only when it may, in order, and ends its input after that", async () => {
  for (const isClosedFirst of [true, false]) {
    const over = Promise.withResolvers<void>();
    const sent: string[] = [];
    const none = () => new ReadableStream({ type: "bytes", start: (controller) => controller.close() });
    const child: Child = {
      pid: 1,
      stdin: new WritableStream<Uint8Array>({
        write: (bytes) => void sent.push(new TextDecoder().decode(bytes)),
        close() {
          sent.push("END");
          over.resolve();
        },
      }),
      stdout: none(),
      stderr: none(),
      ended: over.promise.then(() => ({ code: 0, signal: null })),
      kill: () => over.resolve(),
    };
    const clock: Clock = { now: () => 0, epochMs: () => 0, sleepUntil: () => over.promise };
    const channel = new Channel(child, clock, { token: "token", onAnswer: () => true, onEvent() {} });
    channel.send("begin\n");
    channel.hold();
    channel.send("start 1\n");
    channel.send("start 2\n");
    if (isClosedFirst) channel.close();
    await turn();
    assert.deepEqual(sent, ["begin\n"]);
    channel.letGo();
    if (!isClosedFirst) channel.close();
    await channel.ended;
    assert.deepEqual(sent, ["begin\n", "start 1\nstart 2\n", "END"]);
  }
});
