/**
 * What a host may say: answers, events and words of ssh, broken in any way. A link holds, or is down with one line that
 * says why.
 */
import { noSender } from "../../src/link/transport.ts";
import assert from "node:assert/strict";
import fc from "../../testing/property.ts";
import { parseEvent } from "../../src/agent/protocol.ts";
import type { Child, Deps } from "../../src/deps.ts";
import { realDeps } from "../../src/deps_real.ts";
import { LinkError } from "../../src/errors.ts";
import { openAgentLink } from "../../src/link/agent_link.ts";
import type { Link, LinkEvent } from "../../src/link/link.ts";
import { explainSsh, oneLine } from "../../src/link/ssh.ts";
import { LINK_TIMES } from "../../src/link/upkeep.ts";
import { attempt, start } from "../agent/support.ts";
import { assertAll, BOUNDED, hostile, mutated } from "./support.ts";

const QUEUE_ID = "0123456789abcdef";
const RED = { user: "pi", name: "red", address: null };
const REMOVED = ["removed", "absent", "alive", "kept"];
const STATES = ["none", "claimed", "forbidden", "alive", "ended", "crashed", "other"];

/** One line and printable, whatever it was made of. */
function assertOneLine(text: string): void {
  assert.doesNotMatch(text, /\p{Cc}/u);
  assert.ok(text.trim() !== "" && text.length <= 400, JSON.stringify(text));
}

Deno.test("explainSsh() makes one short line of whatever ssh and the far shell write", () => {
  const words = fc.constantFrom(
    "ssh: Could not resolve hostname red: Name or service not known\r\n",
    "pi@red: Permission denied (publickey,password).\r\n",
    "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key verification failed.",
    "kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 10.0.0.7 port 22",
  );
  fc.assert(
    fc.property(fc.oneof(mutated(words), hostile), fc.integer({ min: 0, max: 255 }), (noise, code) => {
      const { reason } = explainSsh(RED, noise, code);
      assertOneLine(reason);
      assertOneLine(new LinkError("pi@red", reason, false).message);
      assert.doesNotMatch(oneLine(noise), /\p{Cc}/u);
    }),
    BOUNDED,
  );
});

/** Lines as an agent writes them; T is the token, # the request's number, Q the queue's mark. */
const line = fc.constantFrom(
  "T a # 0 none",
  "T a # 1 alive 7 1700000000000 0",
  "T a # 0 ended end 0 1700000000000 2026-01-31T12:00:00Z",
  "T a # 1 ended crash 137 - -",
  "T a # 1 other ff.1 1",
  "T a # 4000000000 none",
  "T a # -1 none",
  "T b # aGVsbG8=",
  "T h # 68 65",
  "T n #",
  "T x # cannot read it",
  "T z #",
  "T p 0",
  "T hello 1 b2 evil pi",
  "T need 1 more",
  "Q B job1 A 7 1700000000000 .",
  "Q E job1 A end 0 1700000000000 .",
  "Q R job1 A no shell .",
  "Q N job1 A alive 7 1 0 .",
  "Q N job1 A claimed .",
  "Q U job1 A .",
  "Q V # 0 removed .",
  "Q V # 9999999999 kept .",
  "Q Z # .",
);
const said = fc.array(fc.oneof({ weight: 4, arbitrary: line }, mutated(line), hostile), { maxLength: 6 });

/** What an agent answers, by the verb; both streams. */
const RIGHT: Readonly<Record<string, readonly [out: readonly string[], events: readonly string[]]>> = {
  ask: [["T a # 0 none", "T a # 1 alive 7 1700000000000 0", "T z #"], []],
  forbid: [["T a # 0 forbidden", "T a # 1 other ff.1 1", "T z #"], []],
  kill: [[], ["Q Z # ."]],
  remove: [[], ["Q V # 0 removed .", "Q V # 1 kept .", "Q Z # ."]],
  read: [["T b # aGVs", "T b # bG8=", "T z #"], []],
};

interface Script {
  readonly greets: boolean;
  /**
   * What comes for each request, on stdout and on stderr, and whether the right answer follows; after the last,
   * `isRight` alone.
   */
  readonly replies: readonly { out: readonly string[]; events: readonly string[]; isRight: boolean }[];
  readonly isRight: boolean;
  /** Pings that are answered. */
  readonly pings: number;
  /** Bytes of each piece that arrives. */
  readonly piece: number;
}

const script: fc.Arbitrary<Script> = fc.record({
  greets: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
  replies: fc.array(fc.record({ out: said, events: said, isRight: fc.boolean() }), { maxLength: 8 }),
  isRight: fc.boolean(),
  pings: fc.nat(2),
  piece: fc.constantFrom(1, 7, 100_000),
});

/** The same as a pipe of a process is read. */
function bytesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      let { done, value } = await reader.read();
      while (!done && value?.length === 0) ({ done, value } = await reader.read());
      if (value !== undefined && !done) return controller.enqueue(value);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** A process that plays the script. */
function play({ greets, replies, isRight: isRightAfter, pings, piece }: Script): Child {
  const streams = [
    new TransformStream<Uint8Array<ArrayBuffer>>(),
    new TransformStream<Uint8Array<ArrayBuffer>>(),
  ] as const;
  const writers = streams.map(({ writable }) => writable.getWriter());
  const over = Promise.withResolvers<{ code: number; signal: string | null }>();
  let token = "";
  let at = 0;
  let answered = 0;
  const send = (which: 0 | 1, text: string) => {
    const bytes = new TextEncoder().encode(text);
    for (let i = 0; i < bytes.length; i += piece) writers[which]!.write(bytes.subarray(i, i + piece)).catch(() => {});
  };
  const fill = (lines: readonly string[], number: string) =>
    lines.map((one) =>
      one.replaceAll(/^T/g, token).replaceAll(/^Q/g, `@${QUEUE_ID}`).replaceAll("#", number)
        .replaceAll("A", attempt("job1").attempt) + "\n"
    ).join("");
  const end = (code: number) => {
    for (const writer of writers) writer.close().catch(() => {});
    over.resolve({ code, signal: null });
  };
  const stdin = new WritableStream<Uint8Array>({
    write(bytes) {
      const text = new TextDecoder().decode(bytes);
      token ||= /^c_tok='(\w+)'/m.exec(text)?.[1] ?? "";
      for (const [, verb, number = "0"] of text.matchAll(/^\{ cms_(\w+)(?: (\d+))?/gm)) {
        if (verb === "hello") {
          send(1, `a banner\n${token}\n`);
          if (greets) send(0, `motd\n${token} hello 1 b1 red pi\n`);
        } else if (verb === "ping") {
          if (answered++ < pings) send(0, `${token} p 0\n`);
        } else {
          const { out, events, isRight } = replies[at++] ?? { out: [], events: [], isRight: isRightAfter };
          const right = isRight ? RIGHT[verb ?? ""] ?? [[], []] : [[], []];
          send(0, fill([...out, ...right[0]], number));
          send(1, fill([...events, ...right[1]], number));
        }
      }
    },
    close: () => end(0),
  });
  return {
    pid: 1,
    stdin,
    stdout: bytesOf(streams[0].readable),
    stderr: bytesOf(streams[1].readable),
    ended: over.promise,
    kill: () => end(137),
  };
}

/** A second is a millisecond. */
const FAST: Deps["clock"] = {
  now: () => Math.floor(performance.now() * 1000),
  epochMs: () => Date.now(),
  sleepUntil: (atMs, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(done, Math.max(0, atMs - FAST.now()) / 1000);
      function done(): void {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      }
      if (signal?.aborted) done();
      signal?.addEventListener("abort", done);
    }),
};

/** The promise's value, or null where the link failed; nothing else may come, and it may not take for ever. */
async function settled<T>(what: string, promise: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} does not come to an end`)), 20_000);
  });
  try {
    return await Promise.race([promise, limit]);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    assertOneLine(error.message);
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** Uses all of a link; counts the questions that were answered and those that were not. */
async function use(link: Link, count: { answered: number; failed: number }): Promise<void> {
  const [one, two] = [attempt("job1"), attempt("job2")];
  link.start([start("job1", "true")]);
  const calls: Promise<void>[] = [];
  const states = async (what: string, promise: Promise<readonly { type: string }[]>) => {
    const found = await settled(what, promise);
    if (found === null) return void count.failed++;
    count.answered++;
    assert.equal(found.length, 2);
    assert.ok(found.every(({ type }) => STATES.includes(type)), JSON.stringify(found));
  };
  calls.push(states("ask", link.ask([one, two])));
  calls.push(states("forbid", link.forbid([one, two])));
  calls.push(states("kill", link.kill([one, two], { graceMs: 1 })));
  calls.push(
    settled("remove", link.remove([one, two])).then((found) => {
      if (found !== null) assert.ok(found.length === 2 && found.every((result) => REMOVED.includes(result)));
    }),
  );
  calls.push(
    settled("read", link.read(attempt("job1"), "job1.out", { maxBytes: 9 })).then((found) => {
      assert.ok(found === null || found instanceof Uint8Array);
    }),
  );
  await Promise.all(calls);
}

Deno.test("a link to an agent that says anything: each request comes to an end, each event is a whole one", async () => {
  const deps = { ...realDeps(), clock: FAST };
  const count = { answered: 0, failed: 0 };
  await assertAll(
    fc.asyncProperty(script, async (one) => {
      const events: LinkEvent[] = [];
      const transport = { command: ["x"], explain: (noise: string, code: number) => explainSsh(RED, noise, code) };
      const link = await settled(
        "connect",
        openAgentLink({ ...deps, processes: { spawn: () => play(one) } }, RED, {
          directory: "experiment",
          queueId: QUEUE_ID,
          role: "resident",
          onEvent: (event) => void events.push(event),
          transport: {
            ...transport,
            stage: () => Promise.resolve({ isSame: true, failed: new Map() }),
            sender: noSender,
          },
          times: LINK_TIMES,
        }),
      );
      if (link === null) return;
      assert.ok(one.greets);
      await use(link, count);
      await settled("close", link.close());
      for (const event of events) {
        if (event.type === "down") assertOneLine(event.reason);
        else if ("job" in event) assert.ok(event.job !== "" && event.attempt !== "", JSON.stringify(event));
      }
    }),
  );
  assert.ok(count.answered > 0 && count.failed > 0, JSON.stringify(count));
});

Deno.test("parseEvent() of a mutated line is null or a whole event", () => {
  const whole = line.filter((text) => text.startsWith("Q")).map((text) =>
    text.replace("Q", `@${QUEUE_ID}`).replace("A", "ff.1").replace("#", "12")
  );
  fc.assert(
    fc.property(mutated(whole), (text) => {
      const event = parseEvent(text, QUEUE_ID);
      if (event === null) return;
      for (const value of Object.values(event)) assert.ok(value !== undefined && !Number.isNaN(value));
    }),
    BOUNDED,
  );
});
